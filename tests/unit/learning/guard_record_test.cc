// SPDX-License-Identifier: Apache-2.0
#include "router/learning/guard_record.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::learning {
namespace {

using guardrails::ArmState;
using guardrails::GuardState;

TEST(GuardRecordTest, ComesBackAsItWas) {
  stats::LogLinearHistogram latencies;
  latencies.Record(1'000'000, 3);
  latencies.Record(5);
  guardrails::Sums sums{
      .count = 4, .sum = -2.5, .squares = 1e12, .origin = 0.125};
  sums.histogram.Add(latencies.Cells());

  GuardState state{.arms = {}, .rolled_back = "arm b, rule: why"};
  GuardState::Arm& arm = state.arms.emplace_back();
  arm.name = "candidate";
  arm.identity = "b ranker 2";
  arm.record = {.state = ArmState::kProbation,
                .since = absl::FromUnixNanos(1'700'000'000'000'000'001),
                .until = absl::InfinitePast(),
                .ejections = 3,
                .requests = 17,
                .rule = "error below 0.02",
                .reason = "\"quoted\"\n"};
  arm.watches.push_back({.rule = "key",
                         .tests = {{.number = 7,
                                    .time = absl::FromUnixSeconds(5),
                                    .arm = sums,
                                    .control = {},
                                    .log_evidence = -0.5}},
                         .started = 9,
                         .until = absl::FromUnixSeconds(6),
                         .in_a_row = 2,
                         .trips = 4,
                         .reason = "figures"});

  const auto again = DecodeGuard(Encode(state));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->rolled_back, state.rolled_back);
  ASSERT_EQ(again->arms.size(), 1);
  const GuardState::Arm& got = again->arms[0];
  EXPECT_EQ(got.name, arm.name);
  EXPECT_EQ(got.identity, arm.identity);
  EXPECT_EQ(got.record.state, ArmState::kProbation);
  EXPECT_EQ(got.record.since, arm.record.since);
  EXPECT_EQ(got.record.until, absl::InfinitePast());
  EXPECT_EQ(got.record.ejections, 3);
  EXPECT_EQ(got.record.requests, 17);
  EXPECT_EQ(got.record.rule, arm.record.rule);
  EXPECT_EQ(got.record.reason, arm.record.reason);
  ASSERT_EQ(got.watches.size(), 1);
  const guardrails::WatchRecord& watch = got.watches[0];
  EXPECT_EQ(watch.rule, "key");
  EXPECT_EQ(watch.started, 9);
  EXPECT_EQ(watch.until, absl::FromUnixSeconds(6));
  EXPECT_EQ(watch.in_a_row, 2);
  EXPECT_EQ(watch.trips, 4);
  EXPECT_EQ(watch.reason, "figures");
  ASSERT_EQ(watch.tests.size(), 1);
  const guardrails::Detector::Start& test = watch.tests[0];
  EXPECT_EQ(test.number, 7);
  EXPECT_EQ(test.time, absl::FromUnixSeconds(5));
  EXPECT_EQ(test.log_evidence, -0.5);
  EXPECT_EQ(test.arm.count, 4);
  EXPECT_EQ(test.arm.sum, -2.5);
  EXPECT_EQ(test.arm.squares, 1e12);
  EXPECT_EQ(test.arm.origin, 0.125);
  EXPECT_EQ(test.arm.histogram.counts(), sums.histogram.counts());
}

TEST(GuardRecordTest, RejectsWhatIsNone) {
  EXPECT_EQ(DecodeGuard("\xff\xff\xff").status().code(),
            absl::StatusCode::kDataLoss);
  // An arm without a state.
  EXPECT_EQ(DecodeGuard(std::string("\x0a\x03\x0a\x01x", 5)).status().code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace bandit::learning
