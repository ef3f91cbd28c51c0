// SPDX-License-Identifier: Apache-2.0
// Every way in which a reward can be refused, by the ledger's own verdict, and
// what its sender is told.
#include "router/learning/refusal.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/learning/test_plan.h"

namespace bandit::learning {
namespace {

using bandit::testing::Click;
using bandit::testing::Latency;
using bandit::testing::MakeDecision;
using bandit::testing::MakePlan;
using bandit::testing::Rating;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kT0 = 1'000'000;

class RefusalTest : public ::testing::Test {
 protected:
  Reward MakeReward(double value, const std::string& metric = "") const {
    return {.decision = MakeDecision(*plan_, 0, 0, kT0, 1),
            .metric = metric,
            .value = value};
  }
  std::string Why(const Reward& reward, Outcome expected, int64_t now = kT0) {
    const Ledger ledger(plan_);
    const absl::Time time = absl::FromUnixMillis(now);
    const Verdict verdict = ledger.Judge(reward, time);
    EXPECT_EQ(Name(verdict.outcome), Name(expected));
    return WhyRefused(reward, verdict, *plan_, time);
  }

  std::shared_ptr<const experiment::Plan> plan_ =
      MakePlan({{.metrics = {Click(), Rating()}}});
};

TEST_F(RefusalTest, AMetricThatIsNotThereIsNamedBesideThoseThatAre) {
  EXPECT_EQ(Why(MakeReward(1, "clik"), Outcome::kRejected),
            "experiment ranker has no metric \"clik\", expected click or "
            "rating");
}

TEST_F(RefusalTest, WhatACallerChoseIsShownInPartOnly) {
  EXPECT_LT(
      Why(MakeReward(1, std::string(5000, 'x')), Outcome::kRejected).size(),
      200u);
}

// A cut letter would be no UTF-8, and an answer with it no message.
TEST_F(RefusalTest, WhatIsShownOfItEndsWithAWholeLetter) {
  for (size_t size = 60; size < 66; ++size) {
    const std::string metric = std::string(size, 'x') + "\xC3\xA9\xC3\xA9";
    const std::string why = Why(MakeReward(1, metric), Outcome::kRejected);
    EXPECT_THAT(why, Not(HasSubstr("\xC3\""))) << size;
  }
}

TEST_F(RefusalTest, ABinaryMetricTakesTwoValues) {
  EXPECT_EQ(Why(MakeReward(0.9), Outcome::kRejected),
            "0.9 is no value of metric click, expected 0 or 1: it is binary");
}

TEST_F(RefusalTest, AValueThatIsNotFiniteIsSaidToBeSo) {
  experiment::Metric free = Rating();
  free.min.reset();
  free.max.reset();
  plan_ = MakePlan({{.metrics = {Click(), free}}});
  EXPECT_THAT(Why(MakeReward(std::nan(""), "rating"), Outcome::kRejected),
              AllOf(HasSubstr("nan is no value of metric rating"),
                    HasSubstr("finite")));
}

TEST_F(RefusalTest, AValueOutsideTheMetricsRangeIsToldTheRange) {
  experiment::Metric bounded = Rating();
  bounded.min = 1;
  bounded.max = 5;
  plan_ = MakePlan({{.metrics = {bounded}}});
  EXPECT_EQ(Why(MakeReward(7), Outcome::kRejected),
            "7 is no value of metric rating, expected a number in [1, 5]");
}

TEST_F(RefusalTest, WhatTheRouterMeasuresItselfIsNotFedBack) {
  plan_ = MakePlan({{.metrics = {Latency(), Click()}}});
  EXPECT_EQ(Why(MakeReward(12, "latency_ms"), Outcome::kRejected),
            "metric latency_ms of experiment ranker is the router's own and "
            "takes no rewards, expected click");
}

TEST_F(RefusalTest, ALateRewardIsToldTheWindowAndTheAge) {
  const int64_t window =
      absl::ToInt64Milliseconds(plan_->experiments[0].metrics[0].window);
  EXPECT_THAT(Why(MakeReward(1), Outcome::kLate, kT0 + window + 1500),
              AllOf(HasSubstr(absl::StrCat(
                        "the window of metric click is ",
                        absl::FormatDuration(absl::Milliseconds(window)))),
                    HasSubstr("was made "), HasSubstr("1.5s ago")));
}

TEST_F(RefusalTest, AnEpochThatIsOverIsNamedBesideTheOneThatIs) {
  Reward reward = MakeReward(1);
  reward.decision.epoch += 1;
  EXPECT_THAT(Why(reward, Outcome::kUnknown),
              AllOf(HasSubstr("of epoch 2 of experiment ranker"),
                    HasSubstr("is in epoch 1")));
}

TEST_F(RefusalTest, AnExperimentThatIsNotConfiguredIsSaidToBeSo) {
  Reward reward = MakeReward(1);
  reward.decision.experiment += 1;
  EXPECT_THAT(Why(reward, Outcome::kUnknown),
              HasSubstr("not in this router's config"));
}

TEST_F(RefusalTest, ADecisionOfOtherArmsDoesNotFit) {
  Reward reward = MakeReward(1);
  reward.decision.arm = 77;
  EXPECT_THAT(Why(reward, Outcome::kUnknown),
              HasSubstr("does not fit the arms and features"));
}

TEST_F(RefusalTest, ARequestIdWithoutADecisionIsNamed) {
  Reward reward{.decision = {}, .metric = "", .value = 1, .request_id = "r-7"};
  EXPECT_THAT(Why(reward, Outcome::kUnknown),
              HasSubstr("no decision is known for the request id \"r-7\""));
}

}  // namespace
}  // namespace bandit::learning
