// SPDX-License-Identifier: Apache-2.0
#include "router/learning/worker_statistics.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "router/learning/request_join.h"
#include "tests/unit/learning/test_plan.h"

namespace bandit::learning {
namespace {

using bandit::testing::Click;
using bandit::testing::ExperimentSpec;
using bandit::testing::Latency;
using bandit::testing::MakeDecision;
using bandit::testing::MakePlan;
using bandit::testing::Rating;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

TEST(WorkerStatisticsTest, DecisionsAreCountedBySliceOfTheirTimeAndArm) {
  const auto plan = MakePlan({ExperimentSpec{}});
  WorkerStatistics statistics(plan);
  statistics.OnDecision(0, MakeDecision(*plan, 0, 1, 5999, 1, 0.25));
  statistics.OnDecision(0, MakeDecision(*plan, 0, 1, 5000, 2, 0.5));
  statistics.OnDecision(0, MakeDecision(*plan, 0, 0, 6000, 3, 0.5));
  statistics.OnDecision(0, MakeDecision(*plan, 0, 0, 5500, 4, 1));
  const auto delta = statistics.Take();
  EXPECT_EQ(delta->plan, plan);
  const auto& slices = delta->experiments[0].slices;
  ASSERT_THAT(slices, SizeIs(2));
  EXPECT_EQ(slices[0].slice, 5);
  EXPECT_EQ(slices[0].arms[0].count, 1u);
  EXPECT_EQ(slices[0].arms[1].count, 2u);
  EXPECT_EQ(slices[0].arms[1].propensity_sum, 0.75);
  EXPECT_EQ(slices[0].arms[1].inverse_propensity_sum, 6);
  EXPECT_THAT(slices[0].arms[1].context, IsEmpty());
  EXPECT_EQ(slices[1].slice, 6);
  EXPECT_EQ(slices[1].arms[0].count, 1u);
}

TEST(WorkerStatisticsTest, TheContextIsSummedWhereAMetricHasADefault) {
  const auto plan = MakePlan({{.features = 2}});
  WorkerStatistics statistics(plan);
  statistics.OnDecision(0, MakeDecision(*plan, 0, 0, 0, 1, 1, {1, 2, 3}));
  statistics.OnDecision(0, MakeDecision(*plan, 0, 0, 0, 2, 1, {1, 0, -1}));
  const auto delta = statistics.Take();
  EXPECT_THAT(delta->experiments[0].slices[0].arms[0].context,
              ElementsAre(2, 2, 4, 2, 6, 10, /*sum x:*/ 2, 2, 2));
}

TEST(WorkerStatisticsTest, TheContextIsLeftOutWhereNoMetricHasADefault) {
  const auto plan = MakePlan({{.metrics = {Rating()}, .features = 2}});
  WorkerStatistics statistics(plan);
  statistics.OnDecision(0, MakeDecision(*plan, 0, 0, 0, 1, 1, {1, 2, 3}));
  EXPECT_THAT(statistics.Take()->experiments[0].slices[0].arms[0].context,
              IsEmpty());
}

TEST(WorkerStatisticsTest, CallsAreCountedByArmAndCode) {
  const auto plan = MakePlan({ExperimentSpec{}});
  WorkerStatistics statistics(plan);
  const auto decision = MakeDecision(*plan, 0, 1, 0, 1);
  for (const int code : {0, 0, 14, 16, 404, 503, 404}) {
    statistics.OnStart(0, 1);
    statistics.OnFinish(0, decision,
                        {.code = code,
                         .latency_ns = 1000,
                         .ttfb_ns = code == 14 ? -1 : 500,
                         .overhead_ns = 10,
                         .response_bytes = 7});
  }
  statistics.OnStart(0, 1);
  const auto delta = statistics.Take();
  const CallCounts& calls = delta->experiments[0].arms[1];
  EXPECT_EQ(calls.started, 8u);
  EXPECT_EQ(calls.finished, 7u);
  EXPECT_EQ(calls.grpc_codes[0], 2u);
  EXPECT_EQ(calls.grpc_codes[14], 1u);
  EXPECT_EQ(calls.grpc_codes[16], 1u);
  EXPECT_THAT(calls.http_codes, ElementsAre(Pair(404, 2), Pair(503, 1)));
  EXPECT_EQ(calls.latency.count(), 7u);
  EXPECT_EQ(calls.ttfb.count(), 6u);
  EXPECT_EQ(calls.response_bytes, 49u);
  EXPECT_EQ(delta->overhead.count(), 7u);
  EXPECT_EQ(delta->experiments[0].arms[0].started, 0u);
}

TEST(WorkerStatisticsTest, UnmatchedRequestsAreCountedApart) {
  const auto plan = MakePlan({ExperimentSpec{}});
  WorkerStatistics statistics(plan);
  statistics.OnUnmatchedStart();
  statistics.OnUnmatchedFinish({.code = 5, .latency_ns = 9, .ttfb_ns = 4});
  const auto delta = statistics.Take();
  EXPECT_EQ(delta->unmatched.started, 1u);
  EXPECT_EQ(delta->unmatched.grpc_codes[5], 1u);
  EXPECT_EQ(delta->experiments[0].arms[0].finished, 0u);
}

TEST(WorkerStatisticsTest, ATimeBeforeItsStartIsCountedAsNone) {
  const auto plan = MakePlan({ExperimentSpec{}});
  WorkerStatistics statistics(plan);
  statistics.OnUnmatchedFinish({.latency_ns = -5, .overhead_ns = -1});
  const auto delta = statistics.Take();
  EXPECT_EQ(delta->unmatched.latency.sum(), 0);
  EXPECT_EQ(delta->overhead.sum(), 0);
}

TEST(WorkerStatisticsTest, TakeHandsEverythingOverOnce) {
  const auto plan = MakePlan({{.features = 1}});
  WorkerStatistics statistics(plan);
  statistics.OnMissingFeature(0, 0);
  statistics.OnStart(0, 0);
  statistics.OnDecision(0, MakeDecision(*plan, 0, 0, 0, 1, 1, {1, 2}));
  EXPECT_THAT(statistics.Take()->experiments[0].missing_features,
              ElementsAre(1));
  const auto next = statistics.Take();
  EXPECT_THAT(next->experiments[0].missing_features, ElementsAre(0));
  EXPECT_THAT(next->experiments[0].slices, IsEmpty());
  EXPECT_EQ(next->experiments[0].arms[0].started, 0u);
}

class BuiltinRewardTest : public ::testing::Test {
 protected:
  // n, sum, squares of the reward over calls on arm 0.
  std::vector<double> Sums(experiment::MetricSource source,
                           const std::vector<CallRecord>& calls) {
    experiment::Metric metric = Latency();
    metric.source = source;
    const auto plan =
        MakePlan({{.metrics = {Click(), metric}, .reward_metric = 1}});
    WorkerStatistics statistics(plan);
    for (const CallRecord& call : calls) {
      statistics.OnFinish(0, MakeDecision(*plan, 0, 0, 0, 1, 0.5), call);
    }
    const auto delta = statistics.Take();
    const auto& vector = delta->experiments[0].builtin_reward[0];
    return {vector[0], vector[1], vector[2]};
  }
};

TEST_F(BuiltinRewardTest, LatencyIsInMilliseconds) {
  EXPECT_THAT(Sums(experiment::MetricSource::kLatencyMs,
                   {{.latency_ns = 2'000'000}, {.latency_ns = 500'000}}),
              ElementsAre(2, 2.5, 4.25));
}

TEST_F(BuiltinRewardTest, AWaitWithoutAnAnswerCountsAsTimeToFirstByte) {
  EXPECT_THAT(Sums(experiment::MetricSource::kTtfbMs,
                   {{.latency_ns = 8'000'000, .ttfb_ns = 1'000'000},
                    {.code = 4, .latency_ns = 3'000'000, .ttfb_ns = -1}}),
              ElementsAre(2, 4, 10));
}

TEST_F(BuiltinRewardTest, EverythingButOkIsAnError) {
  EXPECT_THAT(Sums(experiment::MetricSource::kError, {{.code = 0},
                                                      {.code = 1},
                                                      {.code = 14},
                                                      {.code = 200},
                                                      {.code = 302},
                                                      {.code = 404}}),
              ElementsAre(6, 3, 3));
}

TEST_F(BuiltinRewardTest, BytesAreThoseOfTheResponse) {
  EXPECT_THAT(Sums(experiment::MetricSource::kResponseBytes,
                   {{.response_bytes = 3}, {.response_bytes = 5}}),
              ElementsAre(2, 8, 34));
}

TEST_F(BuiltinRewardTest, AFedBackRewardHasNone) {
  const auto plan = MakePlan({ExperimentSpec{}});
  WorkerStatistics statistics(plan);
  statistics.OnFinish(0, MakeDecision(*plan, 0, 0, 0, 1), {});
  EXPECT_THAT(statistics.Take()->experiments[0].builtin_reward, IsEmpty());
}

TEST(WorkerStatisticsTest, RequestsAreNotedUntilTheShareOfAHarvestIsFull) {
  const auto plan =
      MakePlan({ExperimentSpec{}}, bandit::testing::JoinByRequestId());
  WorkerStatistics statistics(plan);
  for (uint64_t id = 0; id < 10'000; ++id) {
    statistics.OnRequest("0123456789abcdef0123456789abcdef",
                         MakeDecision(*plan, 0, 0, 5000, id));
  }
  const auto full = statistics.Take();
  EXPECT_LE(full->requests.bytes().size(),
            plan->join->memory / RequestJoin::kHarvestShare);
  EXPECT_GT(full->requests.no_room(), 1'000u);
  const RequestNote first(full->requests.bytes().data());
  EXPECT_EQ(first.id(), "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(first.decision(), MakeDecision(*plan, 0, 0, 5000, 0));
  // The next harvest begins empty.
  statistics.OnRequest("a", MakeDecision(*plan, 0, 0, 5000, 1));
  const auto next = statistics.Take();
  EXPECT_EQ(next->requests.bytes().size(),
            RequestNote(next->requests.bytes().data()).size());
  EXPECT_EQ(next->requests.no_room(), 0u);
}

TEST(WorkerStatisticsTest, WithoutAJoinNothingIsKeptOfARequest) {
  const auto plan = MakePlan({ExperimentSpec{}});
  WorkerStatistics statistics(plan);
  statistics.OnRequest("a", MakeDecision(*plan, 0, 0, 5000, 1));
  EXPECT_TRUE(statistics.Take()->requests.bytes().empty());
}

}  // namespace
}  // namespace bandit::learning
