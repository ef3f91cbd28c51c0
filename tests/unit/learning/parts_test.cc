// SPDX-License-Identifier: Apache-2.0
// The learner's parts: queue, harvester, silence, shares.
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "router/learning/harvester.h"
#include "router/learning/recent_shares.h"
#include "router/learning/reward_queue.h"
#include "router/learning/silence.h"
#include "router/learning/telemetry.h"
#include "tests/unit/learning/fake_worker.h"
#include "tests/unit/learning/log_capture.h"
#include "tests/unit/learning/test_plan.h"

namespace bandit::learning {
namespace {

using bandit::testing::ExperimentSpec;
using bandit::testing::FakeWorker;
using bandit::testing::LogCapture;
using bandit::testing::MakeDecision;
using bandit::testing::MakePlan;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

RewardBatch Batch(size_t size) {
  return {.rewards = std::vector<Reward>(size), .done = {}};
}

TEST(RewardQueueTest, AFullQueueTakesNothingOfABatchAndSaysSo) {
  Wakeup wakeup;
  RewardQueue queue(10, &wakeup);
  ASSERT_TRUE(queue.Push(Batch(8)).ok());
  const absl::Status full = queue.Push(Batch(3));
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(full.message()),
              AllOf(HasSubstr("learner.queue = 10"), HasSubstr("later")));
  EXPECT_EQ(queue.size(), 8u);
  EXPECT_TRUE(queue.Push(Batch(2)).ok());
}

TEST(RewardQueueTest, ABatchThatNeverFitsIsToBeSplit) {
  Wakeup wakeup;
  RewardQueue queue(10, &wakeup);
  EXPECT_THAT(std::string(queue.Push(Batch(11)).message()),
              HasSubstr("in smaller ones"));
}

TEST(RewardQueueTest, TakesWholeBatchesInOrderAndFreesThemOnRelease) {
  Wakeup wakeup;
  RewardQueue queue(10, &wakeup);
  for (const size_t size : {4, 3, 2}) ASSERT_TRUE(queue.Push(Batch(size)).ok());
  const auto first = queue.Take(7);
  ASSERT_THAT(first, SizeIs(2));
  EXPECT_THAT(first[0].rewards, SizeIs(4));
  EXPECT_THAT(first[1].rewards, SizeIs(3));
  EXPECT_FALSE(queue.Push(Batch(2)).ok());
  queue.Release(first);
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_TRUE(queue.Push(Batch(2)).ok());
  EXPECT_THAT(queue.Take(1), SizeIs(1));
  EXPECT_THAT(queue.Take(1), SizeIs(1));
  EXPECT_THAT(queue.Take(1), SizeIs(0));
}

TEST(RewardQueueTest, AClosedQueueIsUnavailable) {
  Wakeup wakeup;
  RewardQueue queue(10, &wakeup);
  queue.Close();
  EXPECT_EQ(queue.Push(Batch(1)).code(), absl::StatusCode::kUnavailable);
}

// Returns at once although the deadline is far: the ring was not lost.
TEST(WakeupTest, ARingBeforeTheWaitIsNotLost) {
  Wakeup wakeup;
  wakeup.Ring();
  wakeup.Wait(Wakeup::Clock::now() + std::chrono::hours(1));
  wakeup.Wait(Wakeup::Clock::now());  // Nothing rang since: the deadline.
}

class HarvesterTest : public ::testing::Test {
 protected:
  std::shared_ptr<const experiment::Plan> plan_ = MakePlan({ExperimentSpec{}});
  std::shared_ptr<Snapshot> snapshot_ =
      std::make_shared<Snapshot>(Snapshot{.plan = plan_});
  FakeWorker quick_{snapshot_};
  FakeWorker slow_{snapshot_};
  std::shared_ptr<Wakeup> wakeup_ = std::make_shared<Wakeup>();
};

TEST_F(HarvesterTest, CollectsFromEveryWorkerWithoutWaitingForOne) {
  Harvester harvester({&quick_, &slow_}, wakeup_, kNow);
  slow_.Hold();
  harvester.Ask(kNow + absl::Seconds(1));
  EXPECT_FALSE(harvester.Complete());
  EXPECT_THAT(harvester.Take(), SizeIs(1));
  EXPECT_EQ(harvester.CountedThrough(kNow + absl::Seconds(1)), kNow);
  // The slow one is not asked twice.
  harvester.Ask(kNow + absl::Seconds(2));
  EXPECT_THAT(harvester.Take(), SizeIs(1));
  slow_.AnswerHeld();
  EXPECT_TRUE(harvester.Complete());
  EXPECT_THAT(harvester.Take(), SizeIs(1));
  EXPECT_EQ(harvester.CountedThrough(kNow + absl::Seconds(2)),
            kNow + absl::Seconds(1));
}

TEST_F(HarvesterTest, AWorkerThatStoppedIsNotWaitedForNorAskedAgain) {
  Harvester harvester({&quick_, &slow_}, wakeup_, kNow);
  slow_.Hold();
  harvester.Ask(kNow + absl::Seconds(1));
  slow_.DropHeld();
  EXPECT_TRUE(harvester.Complete());
  harvester.Ask(kNow + absl::Seconds(2));
  EXPECT_TRUE(harvester.Complete());
  EXPECT_EQ(harvester.CountedThrough(kNow + absl::Seconds(3)),
            kNow + absl::Seconds(2));
}

TEST_F(HarvesterTest, AStuckWorkerHoldsTimeUpForAMinuteOnly) {
  Harvester harvester({&slow_}, wakeup_, kNow);
  slow_.Hold();
  harvester.Ask(kNow);
  EXPECT_EQ(harvester.CountedThrough(kNow + absl::Seconds(59)), kNow);
  EXPECT_EQ(harvester.CountedThrough(kNow + absl::Minutes(10)),
            kNow + absl::Minutes(9));
}

TEST_F(HarvesterTest, AHarvestIsAnsweredWhenEveryWorkerHasAnsweredItOrALater) {
  Harvester harvester({&quick_, &slow_}, wakeup_, kNow);
  slow_.Hold();
  harvester.Ask(kNow);
  harvester.Ask(kNow);
  EXPECT_EQ(harvester.asked(), 2u);
  EXPECT_EQ(harvester.Answered(), 0u);
  // To the first question: what it decided since may still be with it.
  slow_.AnswerHeld();
  EXPECT_EQ(harvester.Answered(), 1u);
  harvester.Ask(kNow);
  EXPECT_EQ(harvester.Answered(), 3u);
  slow_.Hold();
  harvester.Ask(kNow);
  EXPECT_EQ(harvester.Answered(), 3u);
  slow_.DropHeld();
  EXPECT_EQ(harvester.Answered(), 4u);
}

TEST_F(HarvesterTest, AnAnswerAfterTheHarvesterHasGoneIsHarmless) {
  auto harvester = std::make_unique<Harvester>(std::vector<WorkerPort*>{&slow_},
                                               wakeup_, kNow);
  slow_.Hold();
  harvester->Ask(kNow);
  harvester.reset();
  slow_.AnswerHeld();
}

TEST(SilenceTest, DecisionsWithoutRewardsAreSaidOnceAndSoIsTheEnd) {
  LogCapture log;
  SilenceMonitor silence(absl::Minutes(5));
  EXPECT_FALSE(silence.Check("ranker", "click", kNow));
  silence.OnDecisions("ranker", 10, kNow);
  silence.OnReward("ranker", Outcome::kUnknown, 3);
  silence.OnReward("ranker", Outcome::kRejected, 2);
  EXPECT_FALSE(silence.Check("ranker", "click", kNow + absl::Minutes(4)));
  silence.OnDecisions("ranker", 5, kNow + absl::Minutes(4));
  EXPECT_TRUE(silence.Check("ranker", "click", kNow + absl::Minutes(5)));
  EXPECT_TRUE(silence.Check("ranker", "click", kNow + absl::Minutes(6)));
  EXPECT_EQ(log.CountOf("\n"), 1);
  EXPECT_THAT(log.text(),
              AllOf(HasSubstr("experiment ranker: 15 decisions in 5m"),
                    HasSubstr("click"), HasSubstr("3 UNKNOWN"),
                    HasSubstr("2 REJECTED"), HasSubstr("Feedback/Record")));
  silence.OnReward("ranker", Outcome::kAccepted, 1);
  EXPECT_FALSE(silence.Check("ranker", "click", kNow + absl::Minutes(7)));
  EXPECT_EQ(log.CountOf("\n"), 2);
  EXPECT_THAT(log.text(), HasSubstr("rewards come in again"));
}

TEST(SilenceTest, PatienceCountsFromTheFirstDecisionAfterTheLastReward) {
  LogCapture log;
  SilenceMonitor silence(absl::Minutes(5));
  silence.OnDecisions("ranker", 1, kNow);
  silence.OnReward("ranker", Outcome::kAccepted, 1);
  // A quiet night without traffic is no silence.
  EXPECT_FALSE(silence.Check("ranker", "click", kNow + absl::Hours(8)));
  silence.OnDecisions("ranker", 0, kNow + absl::Hours(8));
  EXPECT_FALSE(silence.Check("ranker", "click", kNow + absl::Hours(9)));
  silence.OnDecisions("ranker", 1, kNow + absl::Hours(9));
  EXPECT_FALSE(silence.Check("ranker", "click", kNow + absl::Hours(9)));
  EXPECT_TRUE(silence.Check("ranker", "click",
                            kNow + absl::Hours(9) + absl::Minutes(5)));
}

TEST(RecentSharesTest, OldDecisionsFade) {
  RecentShares shares;
  EXPECT_EQ(shares.Share("ranker", "a", 0.5), 0.5);
  shares.Count("ranker", "a", 30);
  shares.Count("ranker", "b", 10);
  EXPECT_EQ(shares.Share("ranker", "a", 0.5), 0.75);
  EXPECT_EQ(shares.Share("ranker", "c", 0.5), 0);
  for (int i = 0; i < 200; ++i) shares.Count("ranker", "b", 100);
  EXPECT_LT(shares.Share("ranker", "a", 0.5), 1e-6);
  EXPECT_NEAR(shares.Share("ranker", "b", 0.5), 1, 1e-6);
}

TEST(TelemetryTest, DeltasOfSeveralWorkersAddUp) {
  const auto plan = MakePlan({{.features = 1}});
  Telemetry telemetry;
  telemetry.Declare(*plan);
  for (int worker = 0; worker < 2; ++worker) {
    WorkerStatistics statistics(plan);
    statistics.OnStart(0, 1);
    statistics.OnStart(0, 1);
    statistics.OnFinish(0, MakeDecision(*plan, 0, 1, 0, 1, 1, {1, 1}),
                        {.code = worker == 0 ? 0 : 404, .latency_ns = 1000});
    statistics.OnMissingFeature(0, 0);
    statistics.OnUnmatchedStart();
    telemetry.Count(*statistics.Take());
  }
  telemetry.Read([](const Totals& totals) {
    const CallCounts& calls = totals.calls.at({"ranker", "candidate"});
    EXPECT_EQ(calls.started, 4u);
    EXPECT_EQ(calls.finished, 2u);
    EXPECT_EQ(calls.grpc_codes[0], 1u);
    EXPECT_EQ(calls.http_codes.at(404), 1u);
    EXPECT_EQ(calls.latency.count(), 2u);
    EXPECT_EQ(totals.calls.at({"ranker", "control"}).started, 0u);
    EXPECT_EQ(totals.calls.at({"", ""}).started, 2u);
    EXPECT_EQ(totals.missing_features.at({"ranker", "f0"}), 2u);
    EXPECT_EQ(totals.overhead.count(), 2u);
    EXPECT_TRUE(totals.rewards.contains({"ranker", "click"}));
  });
}

}  // namespace
}  // namespace bandit::learning
