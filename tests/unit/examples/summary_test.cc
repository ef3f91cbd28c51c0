// SPDX-License-Identifier: Apache-2.0
// The closing summary, and above all its verdict: each way in which the loop
// can be broken makes the run a failure.
#include "examples/demo/summary.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::demo {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr absl::Duration kTraffic = absl::Seconds(100);

// A run whose tally can be filled request by request.
class SummaryTest : public ::testing::Test {
 protected:
  SummaryTest() {
    run_.policy = "thompson";
    run_.adaptive = true;
    run_.traffic = kTraffic;
    run_.arms = {{"weak", 1}, {"strong", 3}};
    run_.router.emplace();
    run_.router->add_arms();
    run_.router->add_arms();
  }

  // `count` requests in the second `at`, of which `right` are answered right.
  void Serve(size_t arm, Device device, int at, int count, int right) {
    for (int i = 0; i < count; ++i) {
      tally_.Served(arm, device, absl::Seconds(at), absl::Milliseconds(5));
      tally_.Rewarded(arm, device, i < right ? 1 : 0, v1::ACCEPTED);
    }
    auto* const counted = run_.router->mutable_arms(static_cast<int>(arm));
    counted->set_reward_count(counted->reward_count() + count);
  }

  // The strong arm is better and gets most of the traffic in the end.
  void ServeALearningRun() {
    for (const Device device : kDevices) {
      Serve(0, device, 1, 50, 10);
      Serve(1, device, 1, 50, 40);
      Serve(0, device, 90, 10, 2);
      Serve(1, device, 90, 90, 72);
    }
  }

  std::vector<std::string> Problems() {
    return Summarize(tally_, run_).problems;
  }

  Tally tally_{2};
  RunFacts run_;
};

TEST_F(SummaryTest, ALearningRunIsASuccess) {
  ServeALearningRun();
  const Summary summary = Summarize(tally_, run_);
  EXPECT_THAT(summary.problems, IsEmpty());
  EXPECT_THAT(summary.growth.best, ElementsAre(1));
  EXPECT_THAT(summary.growth.even, DoubleEq(0.5));
  EXPECT_THAT(summary.growth.first, DoubleEq(0.5));
  EXPECT_THAT(summary.growth.last, DoubleEq(0.9));
}

TEST_F(SummaryTest, ComparesWithTheBestArmAndAnEvenSplit) {
  ServeALearningRun();
  const Summary summary = Summarize(tally_, run_);
  // 400 requests: 24 of 120 and 224 of 280 right.
  EXPECT_THAT(summary.obtained, DoubleEq(248.0 / 400));
  ASSERT_TRUE(summary.best_arm.has_value());
  EXPECT_EQ(*summary.best_arm, 1u);
  EXPECT_THAT(summary.best_fixed->mean, DoubleEq(0.8));
  EXPECT_THAT(summary.even_split->mean, DoubleEq(0.5));
  EXPECT_THAT(summary.cost_per_1000, DoubleEq((120 * 1 + 280 * 3) / 400.0));
}

TEST_F(SummaryTest, APolicyThatDoesNotMoveTrafficFails) {
  for (const Device device : kDevices) {
    Serve(0, device, 90, 50, 10);
    Serve(1, device, 90, 50, 40);
  }
  EXPECT_THAT(Problems(),
              ElementsAre(HasSubstr("did not move traffic to the best arm: 50 "
                                    "% in the last quarter, 50 %")));
  // It need not, if it is not meant to.
  run_.adaptive = false;
  EXPECT_THAT(Problems(), IsEmpty());
}

// Two arms of the same value: there is nothing to be learned, and no verdict.
TEST_F(SummaryTest, EqualArmsCannotBeToldApart) {
  for (const Device device : kDevices) {
    Serve(0, device, 90, 50, 30);
    Serve(1, device, 90, 50, 30);
  }
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("too few rewards to tell")));
}

// Overall the arms are equal; each is best on one device. A contextual policy
// is judged per device.
TEST_F(SummaryTest, AContextualPolicyIsJudgedPerDevice) {
  run_.contextual = true;
  Serve(0, Device::kScanner, 90, 90, 85);
  Serve(1, Device::kScanner, 90, 10, 0);
  Serve(0, Device::kCamera, 90, 10, 0);
  Serve(1, Device::kCamera, 90, 90, 85);
  EXPECT_THAT(Problems(), IsEmpty());

  const Summary summary = Summarize(tally_, run_);
  EXPECT_THAT(summary.device_growth[0].best, ElementsAre(0));
  EXPECT_THAT(summary.device_growth[1].best, ElementsAre(1));

  Serve(0, Device::kCamera, 90, 200, 0);
  EXPECT_THAT(Problems(),
              ElementsAre(HasSubstr("did not move traffic from the camera")));
}

TEST_F(SummaryTest, EveryOutcomeButAcceptedFails) {
  ServeALearningRun();
  for (const v1::Outcome outcome :
       {v1::DUPLICATE, v1::LATE, v1::UNKNOWN, v1::REJECTED}) {
    tally_.Rewarded(0, Device::kScanner, 1, outcome);
  }
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("1 rewards were answered "
                                                "DUPLICATE"),
                                      HasSubstr("LATE"), HasSubstr("UNKNOWN"),
                                      HasSubstr("REJECTED")));
}

TEST_F(SummaryTest, AFailedRequestFails) {
  ServeALearningRun();
  tally_.Failed("UNAVAILABLE: gone");
  EXPECT_THAT(Problems(), ElementsAre("1 requests failed; the first: "
                                      "UNAVAILABLE: gone"));
}

TEST_F(SummaryTest, AnUnacknowledgedRewardFails) {
  ServeALearningRun();
  run_.rewards_open = 3;
  EXPECT_THAT(Problems(), ElementsAre("3 rewards were never acknowledged"));
}

// Acknowledged, but not learned from: the silent failure that users fear most.
TEST_F(SummaryTest, ARewardThatTheRouterDoesNotCountFails) {
  ServeALearningRun();
  run_.router->mutable_arms(1)->set_reward_count(279);
  EXPECT_THAT(Problems(), ElementsAre("the router counts 279 rewards for "
                                      "strong, 280 were acknowledged"));
  run_.router.reset();
  EXPECT_THAT(Problems(), ElementsAre("the router's status could not be read"));
}

TEST_F(SummaryTest, ARunWithoutRequestsFails) {
  EXPECT_THAT(Problems(), ElementsAre("no request was served",
                                      HasSubstr("too few rewards to tell")));
}

TEST_F(SummaryTest, AnInterruptedRunIsNotJudgedByWhatItHadNoTimeToLearn) {
  run_.interrupted = true;
  Serve(0, Device::kScanner, 0, 1, 0);
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(SummaryTest, TextAndJsonSayTheSame) {
  ServeALearningRun();
  const Summary summary = Summarize(tally_, run_);
  const std::string text = SummaryText(summary, tally_);
  EXPECT_THAT(text, HasSubstr("obtained    62.0"));
  EXPECT_THAT(text, HasSubstr("(strong for every request)"));
  EXPECT_THAT(text, HasSubstr("400 accepted, 0 duplicate, 0 late, 0 unknown, 0 "
                              "rejected; the router counts 400"));
  EXPECT_THAT(text, HasSubstr("strong is best; its share went from 50 % (first "
                              "3 s) to 90 % (last quarter)"));
  EXPECT_THAT(text, HasSubstr("The loop works."));

  const nlohmann::json json = SummaryJson(summary, tally_);
  EXPECT_EQ(json["ok"], true);
  EXPECT_EQ(json["obtained"], 0.62);
  EXPECT_EQ(json["best_arm"], "strong");
  EXPECT_EQ(json["outcomes"]["accepted"], 400);
  EXPECT_EQ(json["arms"][1]["requests"], 280);
  EXPECT_EQ(json["growth"]["last"], 0.9);

  tally_.Failed("boom");
  const Summary failed = Summarize(tally_, run_);
  EXPECT_THAT(SummaryText(failed, tally_),
              HasSubstr("FAILED: 1 requests failed; the first: boom"));
  EXPECT_EQ(SummaryJson(failed, tally_)["ok"], false);
}

TEST_F(SummaryTest, AnEmptyRunCanBePrinted) {
  run_.router.reset();
  const Summary summary = Summarize(tally_, run_);
  EXPECT_THAT(SummaryText(summary, tally_), HasSubstr("unknown"));
  EXPECT_EQ(SummaryJson(summary, tally_)["best_arm"], nullptr);
}

}  // namespace
}  // namespace bandit::demo
