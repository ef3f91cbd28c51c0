// SPDX-License-Identifier: Apache-2.0
#include "router/report/next_step.h"

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "router/report/report.h"
#include "tests/unit/report/input_builder.h"

namespace bandit::report {
namespace {

using bandit::testing::InputBuilder;
using ::testing::HasSubstr;

// Clicks and errors of 10,000 requests an arm.
v1::NextStep After(const std::vector<int>& clicks,
                   const std::vector<int>& errors) {
  std::vector<std::string> arms = {"control"};
  for (size_t a = 1; a < clicks.size(); ++a) {
    arms.push_back("arm-" + std::to_string(a));
  }
  InputBuilder builder(arms);
  const size_t error = builder.AddErrors();
  for (size_t a = 0; a < clicks.size(); ++a) {
    builder.AddRate(a, clicks[a], 10'000);
    builder.AddRate(a, errors[a], 10'000, error);
  }
  return MakeReport(builder.input()).next();
}

std::string Why(const v1::NextStep& step) {
  return absl::StrJoin(step.why(), "\n");
}

TEST(NextStepTest, ABetterArmIsPromoted) {
  const v1::NextStep step = After({1000, 1400}, {10, 10});
  EXPECT_EQ(step.action(), v1::NextStep::PROMOTE);
  EXPECT_EQ(step.arm(), "arm-1");
  EXPECT_THAT(Why(step),
              HasSubstr("arm-1 is better than control: click: +0.04"));
}

TEST(NextStepTest, OfTwoBetterArmsTheBest) {
  const v1::NextStep step = After({1000, 1400, 1600}, {10, 10, 10});
  EXPECT_EQ(step.action(), v1::NextStep::PROMOTE);
  EXPECT_EQ(step.arm(), "arm-2");
}

TEST(NextStepTest, AWorseArmIsRolledBack) {
  const v1::NextStep step = After({1400, 1000}, {10, 10});
  EXPECT_EQ(step.action(), v1::NextStep::ROLL_BACK);
  EXPECT_EQ(step.arm(), "arm-1");
  EXPECT_THAT(Why(step),
              HasSubstr("arm-1 is worse than control: click: -0.04"));
}

TEST(NextStepTest, OneArmOfTwoThatIsWorseIsNoReasonToEndTheExperiment) {
  EXPECT_EQ(After({1200, 800, 1210}, {10, 10, 10}).action(),
            v1::NextStep::KEEP_GOING);
}

TEST(NextStepTest, MoreErrorsWithoutMoreClicksAreARollBack) {
  const v1::NextStep step = After({1000, 1010}, {10, 500});
  EXPECT_EQ(step.action(), v1::NextStep::ROLL_BACK);
  EXPECT_THAT(Why(step), HasSubstr("arm-1 is worse in error: +0.049"));
}

TEST(NextStepTest, MoreClicksWithMoreErrorsAreForAPersonToWeigh) {
  const v1::NextStep step = After({1000, 1400}, {10, 500});
  EXPECT_EQ(step.action(), v1::NextStep::KEEP_GOING);
  EXPECT_THAT(Why(step), HasSubstr("arm-1 is worse in error"));
}

TEST(NextStepTest, WithoutADifferenceItSaysHowMuchMoreWouldTell) {
  const v1::NextStep step = After({1000, 1040}, {10, 10});
  EXPECT_EQ(step.action(), v1::NextStep::KEEP_GOING);
  EXPECT_THAT(Why(step), HasSubstr("times the decisions so far will tell"));
}

TEST(NextStepTest, ABrokenSplitComesBeforeAllElse) {
  InputBuilder builder({"control", "candidate"});
  builder.AddRate(0, 100, 10'000);
  builder.AddRate(1, 400, 12'000);
  const v1::NextStep step = MakeReport(builder.input()).next();
  EXPECT_EQ(step.action(), v1::NextStep::INVESTIGATE);
  EXPECT_THAT(Why(step), HasSubstr("did not get the traffic"));
}

}  // namespace
}  // namespace bandit::report
