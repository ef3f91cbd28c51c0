// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/status_text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int64_t kStarted = 1'700'000'000;

// Two minutes and three seconds after the start.
absl::Time Now() { return absl::FromUnixSeconds(kStarted + 123); }

v1::RouterStatus Router() {
  v1::RouterStatus status;
  status.set_version("0.1.0");
  status.mutable_started()->set_seconds(kStarted);
  status.mutable_learned()->set_seconds(kStarted + 122);
  status.mutable_learned()->set_nanos(750'000'000);
  return status;
}

v1::ExperimentStatus* AddRanker(v1::RouterStatus* status) {
  v1::ExperimentStatus* ranker = status->add_experiments();
  ranker->set_name("ranker");
  ranker->set_epoch(2);
  ranker->set_policy("thompson");
  ranker->set_reward_metric("click");
  return ranker;
}

v1::ArmStatus* AddArm(v1::ExperimentStatus* experiment, const char* name,
                      const char* backend, double probability) {
  v1::ArmStatus* arm = experiment->add_arms();
  arm->set_name(name);
  arm->set_backend(backend);
  arm->set_probability(probability);
  return arm;
}

TEST(RenderStatusTest, ShowsABusyExperimentAsATable) {
  v1::RouterStatus status = Router();
  v1::ExperimentStatus* ranker = AddRanker(&status);
  ranker->set_decisions(1000);
  v1::ArmStatus* control = AddArm(ranker, "control", "ranker-a", 0.98);
  control->set_decisions(917);
  control->set_reward_count(456);
  control->set_reward_mean(0.125);
  (*control->mutable_codes())["OK"] = 914;
  (*control->mutable_codes())["UNAVAILABLE"] = 2;
  (*control->mutable_codes())["HTTP_404"] = 1;
  control->set_in_flight(3);
  control->mutable_latency()->mutable_p50()->set_nanos(1'240'000);
  control->mutable_latency()->mutable_p95()->set_nanos(20'000'000);
  control->mutable_latency()->mutable_p99()->set_seconds(1);
  AddArm(ranker, "candidate", "b", 0.02)->set_decisions(83);
  v1::MetricStatus* click = ranker->add_metrics();
  click->set_name("click");
  (*click->mutable_outcomes())["LATE"] = 3;
  (*click->mutable_outcomes())["ACCEPTED"] = 456;
  ranker->add_metrics()->set_name("spend");

  EXPECT_EQ(
      RenderStatus(status, Now()),
      "bandit-router 0.1.0, up 2m3s, last learned 200ms ago\n"
      "\n"
      "ranker: thompson on click, epoch 2, 1000 decisions\n"
      "  arm        backend   probability  decisions   share  reward mean  "
      "rewards  p50 ms  p95 ms  p99 ms  in flight  errors\n"
      "  control    ranker-a       0.9800        917  91.7 %        0.125  "
      "    456     1.2    20.0  1000.0          3       3\n"
      "  candidate  b              0.0200         83   8.3 %            -  "
      "      0       -       -       -          0       0\n"
      "  errors of control: HTTP_404 1, UNAVAILABLE 2\n"
      "  rewards for click: ACCEPTED 456, LATE 3\n"
      "  rewards for spend: none yet\n");
}

TEST(RenderStatusTest, AnExperimentWithoutDecisionsHasNoShares) {
  v1::RouterStatus status = Router();
  AddArm(AddRanker(&status), "a", "b", 1);
  EXPECT_THAT(RenderStatus(status, Now()), Not(HasSubstr("%")));
  EXPECT_THAT(RenderStatus(status, Now()), Not(HasSubstr("nan")));
}

TEST(RenderStatusTest, WhatBelongsToNoExperimentIsTold) {
  v1::RouterStatus status = Router();
  EXPECT_THAT(RenderStatus(status, Now()), Not(HasSubstr("matched no")));
  EXPECT_THAT(RenderStatus(status, Now()), Not(HasSubstr("belong to no")));
  status.set_unmatched(3);
  (*status.mutable_stray_rewards())["REJECTED"] = 2;
  (*status.mutable_stray_rewards())["UNKNOWN"] = 1;
  EXPECT_THAT(RenderStatus(status, Now()),
              AllOf(HasSubstr("\n3 requests matched no experiment: "),
                    HasSubstr("here: REJECTED 2, UNKNOWN 1; tokens")));
}

// fixed_split may have no reward at all.
TEST(RenderStatusTest, APolicyWithoutRewardNamesNone) {
  v1::RouterStatus status = Router();
  v1::ExperimentStatus* split = status.add_experiments();
  split->set_name("split");
  split->set_policy("fixed_split");
  split->set_epoch(1);
  EXPECT_THAT(RenderStatus(status, Now()),
              HasSubstr("\nsplit: fixed_split, epoch 1, 0 decisions\n"));
}

// A discounting policy forgets by fractions.
TEST(RenderStatusTest, DiscountedCountsHaveADecimal) {
  v1::RouterStatus status = Router();
  v1::ArmStatus* arm = AddArm(AddRanker(&status), "a", "b", 1);
  arm->set_reward_count(12.34);
  EXPECT_THAT(RenderStatus(status, Now()), HasSubstr(" 12.3 "));
}

TEST(RenderStatusTest, DegradedIsSaidBeforeTheExperiments) {
  v1::RouterStatus status = Router();
  status.set_degraded("the state cannot be written: disk full");
  AddRanker(&status);
  EXPECT_THAT(RenderStatus(status, Now()),
              HasSubstr(" ago\nDEGRADED: the state cannot be written: disk "
                        "full\n\nranker:"));
  status.clear_degraded();
  EXPECT_THAT(RenderStatus(status, Now()), Not(HasSubstr("DEGRADED")));
}

TEST(RenderStatusTest, SaysThatThereIsNothingToShow) {
  EXPECT_THAT(RenderStatus(Router(), Now()), HasSubstr("\nno experiments\n"));
}

TEST(RenderStatusTest, AClockBehindTheRoutersGivesNoNegativeAge) {
  EXPECT_THAT(RenderStatus(Router(), absl::FromUnixSeconds(kStarted - 60)),
              StartsWith("bandit-router 0.1.0, up 0s, last learned 0s ago\n"));
}

TEST(RenderStatusTest, ARouterThatHasNotLearnedSaysSo) {
  v1::RouterStatus status = Router();
  status.clear_learned();
  EXPECT_THAT(RenderStatus(status, Now()), HasSubstr("has not learned yet\n"));
}

}  // namespace
}  // namespace bandit::cli
