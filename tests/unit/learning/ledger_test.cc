// SPDX-License-Identifier: Apache-2.0
// The ledger's rules, one by one. Sums over long random histories are in
// ledger_history_test.cc.
#include "router/learning/ledger.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
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

constexpr int64_t kT0 = 1'000'000;

absl::Time At(int64_t ms) { return absl::FromUnixMillis(ms); }

class LedgerTest : public ::testing::Test {
 protected:
  void Use(const std::vector<ExperimentSpec>& specs) {
    plan_ = MakePlan(specs);
    ledger_ = std::make_unique<Ledger>(plan_);
    workers_ = std::make_unique<WorkerStatistics>(plan_);
  }

  void Decide(uint32_t arm, int64_t time_ms, double p = 0.5,
              std::vector<float> x = {}) {
    workers_->OnDecision(
        0, MakeDecision(*plan_, 0, arm, time_ms, ++id_, p, std::move(x)));
  }
  void Count() {
    const auto delta = workers_->Take();
    ledger_->CountDecisions(0, delta->experiments[0].slices);
    ledger_->AddBuiltin(0, delta->experiments[0].builtin_reward);
  }

  Reward MakeReward(uint32_t arm, int64_t time_ms, double value, double p = 0.5,
                    std::vector<float> x = {}) {
    return {.decision =
                MakeDecision(*plan_, 0, arm, time_ms, ++id_, p, std::move(x)),
            .metric = "",
            .value = value};
  }
  Outcome OutcomeOf(const Reward& reward, int64_t now_ms) {
    return ledger_->Judge(reward, At(now_ms)).outcome;
  }
  void Credit(const Reward& reward, int64_t now_ms) {
    const Verdict verdict = ledger_->Judge(reward, At(now_ms));
    ASSERT_EQ(verdict.outcome, Outcome::kAccepted);
    ledger_->Credit(reward, verdict);
  }

  // n, mean and variance of the metric.
  std::vector<double> Moments(uint32_t arm, size_t metric = 0) {
    const policies::ArmStatistics statistics(plan_->experiments[0].layout(),
                                             ledger_->Center(0, metric),
                                             ledger_->Total(0, metric, arm));
    return {statistics.count(), statistics.mean(), statistics.variance()};
  }

  std::shared_ptr<const experiment::Plan> plan_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<WorkerStatistics> workers_;
  uint64_t id_ = 0;
};

// Three decisions, one reward: nothing counts while the window is open, then
// all three do.
TEST_F(LedgerTest, WithADefaultASliceCountsOnceItsWindowHasPassed) {
  Use({ExperimentSpec{}});
  for (int i = 0; i < 3; ++i) Decide(0, kT0 + i);
  Count();
  Credit(MakeReward(0, kT0, 1), kT0 + 500);
  ledger_->Commit();
  ledger_->Mature(At(kT0 + 10'999));
  EXPECT_THAT(Moments(0), ElementsAre(0, 0, 0));
  // The slice [1000 s, 1001 s) ends, and then its window of 10 s.
  ledger_->Mature(At(kT0 + 11'000));
  EXPECT_THAT(Moments(0), ElementsAre(3, ::testing::DoubleEq(1.0 / 3),
                                      ::testing::DoubleEq(1.0 / 3)));
  EXPECT_EQ(ledger_->OpenSlices(0), 0u);
  EXPECT_EQ(ledger_->Decisions(0, 0), 3u);
}

TEST_F(LedgerTest, WithoutADefaultARewardCountsWhenItComes) {
  Use({{.metrics = {Rating()}}});
  Decide(1, kT0);
  Decide(1, kT0);
  Count();
  EXPECT_THAT(Moments(1), ElementsAre(0, 0, 0));
  Credit(MakeReward(1, kT0, 4), kT0);
  Credit(MakeReward(1, kT0, 2), kT0);
  ledger_->Commit();
  EXPECT_THAT(Moments(1), ElementsAre(2, 3, 2));
  EXPECT_EQ(ledger_->OpenSlices(0), 0u);
}

TEST_F(LedgerTest, TheUnrewardedCountAtTheDefaultInEverySum) {
  experiment::Metric spend = Rating(absl::Seconds(10));
  spend.default_value = 2;
  Use({{.metrics = {spend}, .features = 1}});
  Decide(0, kT0, 0.5, {1, 3});
  Decide(0, kT0, 0.25, {1, 5});
  Count();
  Credit(MakeReward(0, kT0, 4, 0.5, {1, 3}), kT0);
  ledger_->Commit();
  ledger_->Mature(At(kT0 + 11'000));
  // y = r - 2: 2 and 0.
  EXPECT_EQ(ledger_->Center(0, 0), 2);
  EXPECT_THAT(ledger_->Total(0, 0, 0),
              ElementsAre(/*n, sum, squares:*/ 2, 2, 4,
                          /*weights, weighted, weighted squares:*/ 6, 4, 16,
                          /*sum x x':*/ 2, 8, 34,
                          /*sum r x:*/ 4 + 2, 4 * 3 + 2 * 5));
}

TEST_F(LedgerTest, MetricsMatureByTheirOwnWindows) {
  experiment::Metric sale = Click(absl::Seconds(30));
  sale.name = "sale";
  Use({{.metrics = {Click(), sale}}});
  Decide(0, kT0);
  Count();
  ledger_->Mature(At(kT0 + 11'000));
  EXPECT_THAT(Moments(0, 0), ElementsAre(1, 0, 0));
  EXPECT_THAT(Moments(0, 1), ElementsAre(0, 0, 0));
  EXPECT_EQ(ledger_->OpenSlices(0), 1u);
  ledger_->Mature(At(kT0 + 31'000));
  EXPECT_THAT(Moments(0, 0), ElementsAre(1, 0, 0));
  EXPECT_THAT(Moments(0, 1), ElementsAre(1, 0, 0));
  EXPECT_EQ(ledger_->OpenSlices(0), 0u);
}

// A worker that answers late, or a tick longer than the window.
TEST_F(LedgerTest, ADecisionCountedAfterItsSliceMaturedStillCounts) {
  Use({{.features = 1}});
  Decide(0, kT0, 0.5, {1, 2});
  Count();
  ledger_->Mature(At(kT0 + 60'000));
  Decide(0, kT0, 0.5, {1, 4});
  Decide(1, kT0, 0.5, {1, 4});
  Count();
  EXPECT_THAT(ledger_->Total(0, 0, 0),
              ElementsAre(2, 0, 0, 4, 0, 0, 2, 6, 20, 0, 0));
  EXPECT_THAT(Moments(1), ElementsAre(1, 0, 0));
  EXPECT_EQ(ledger_->OpenSlices(0), 0u);
}

// The decisions of a killed router's last tick are lost, their rewards come.
TEST_F(LedgerTest, AtLeastTheRewardedDecisionsWereMade) {
  Use({ExperimentSpec{}});
  Decide(0, kT0);
  Count();
  for (int i = 0; i < 3; ++i) Credit(MakeReward(0, kT0, 1), kT0);
  ledger_->Commit();
  ledger_->Mature(At(kT0 + 11'000));
  EXPECT_THAT(Moments(0), ElementsAre(3, 1, 0));
  EXPECT_EQ(ledger_->Total(0, 0, 0)[policies::StatisticsLayout::kWeights], 6);
}

TEST_F(LedgerTest, ARewardIsOnTimeToTheEndOfItsWindow) {
  Use({ExperimentSpec{}});
  const Reward reward = MakeReward(0, kT0, 1);
  EXPECT_EQ(OutcomeOf(reward, kT0 + 10'000), Outcome::kAccepted);
  EXPECT_EQ(OutcomeOf(reward, kT0 + 10'001), Outcome::kLate);
  // Another replica's clock may be ahead.
  EXPECT_EQ(OutcomeOf(reward, kT0 - 5'000), Outcome::kAccepted);
}

TEST_F(LedgerTest, AForeignExperimentEpochArmOrShapeIsUnknown) {
  Use({{.epoch = 3}});
  const Reward good = MakeReward(0, kT0, 1);
  EXPECT_EQ(OutcomeOf(good, kT0), Outcome::kAccepted);
  for (const auto& change : std::vector<void (*)(experiment::Decision&)>{
           [](auto& d) { ++d.experiment; }, [](auto& d) { d.epoch = 2; },
           [](auto& d) { d.epoch = 4; }, [](auto& d) { d.arm = 2; },
           [](auto& d) { d.features.push_back(1); }}) {
    Reward bad = good;
    change(bad.decision);
    EXPECT_EQ(OutcomeOf(bad, kT0), Outcome::kUnknown);
  }
}

TEST_F(LedgerTest, WhatIsNotDeclaredOrMeasuredByTheRouterIsRejected) {
  Use({{.metrics = {Click(), Latency()}, .reward_metric = 0}});
  Reward reward = MakeReward(0, kT0, 1);
  for (const char* metric : {"sale", "latency_ms", "Click"}) {
    reward.metric = metric;
    EXPECT_EQ(OutcomeOf(reward, kT0), Outcome::kRejected) << metric;
  }
  reward.metric = "click";
  EXPECT_EQ(OutcomeOf(reward, kT0), Outcome::kAccepted);
}

TEST_F(LedgerTest, ValuesThatCannotBeAreRejected) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Use({{.metrics = {Click(), Rating()}}});
  Reward reward = MakeReward(0, kT0, 0);
  const auto outcome = [&](const char* metric, double value) {
    reward.metric = metric;
    reward.value = value;
    return OutcomeOf(reward, kT0);
  };
  for (const double value : {0.5, -1.0, 2.0, std::nan(""), kInfinity}) {
    EXPECT_EQ(outcome("click", value), Outcome::kRejected) << value;
  }
  for (const double value : {-5.1, 5.1, std::nan(""), -kInfinity}) {
    EXPECT_EQ(outcome("rating", value), Outcome::kRejected) << value;
  }
  for (const double value : {-5.0, 5.0, 0.9}) {
    EXPECT_EQ(outcome("rating", value), Outcome::kAccepted) << value;
  }
  EXPECT_EQ(outcome("click", -0.0), Outcome::kAccepted);
}

// Its square would not be finite, and one such value would spoil every sum.
TEST_F(LedgerTest, AValueTooLargeToSumIsRejected) {
  experiment::Metric free = Rating();
  free.min = free.max = std::nullopt;
  Use({{.metrics = {free}}});
  EXPECT_EQ(OutcomeOf(MakeReward(0, kT0, 1e100), kT0), Outcome::kAccepted);
  EXPECT_EQ(OutcomeOf(MakeReward(0, kT0, -1e101), kT0), Outcome::kRejected);
}

// Large values with a small spread: about 0 the variance would be lost.
TEST_F(LedgerTest, TheFirstValueIsTheCenterWhereNothingElseIs) {
  experiment::Metric bytes = Rating();
  bytes.min = bytes.max = std::nullopt;
  Use({{.metrics = {bytes}}});
  Credit(MakeReward(1, kT0, 1e9), kT0);
  Credit(MakeReward(0, kT0, 1e9 + 1), kT0);
  Credit(MakeReward(0, kT0, 1e9 + 3), kT0);
  ledger_->Commit();
  EXPECT_EQ(ledger_->Center(0, 0), 1e9);
  EXPECT_THAT(Moments(0), ElementsAre(2, 1e9 + 2, 2));
}

TEST_F(LedgerTest, BuiltinRewardsNeedNoFeedback) {
  Use({{.metrics = {Click(), Latency()}, .reward_metric = 1}});
  const auto decision = MakeDecision(*plan_, 0, 1, kT0, 1);
  workers_->OnFinish(0, decision, {.latency_ns = 2'000'000});
  workers_->OnFinish(0, decision, {.latency_ns = 4'000'000});
  Count();
  EXPECT_THAT(Moments(1, 1), ElementsAre(2, 3, 2));
  EXPECT_TRUE(ledger_->TakeProgress(0).changed);
}

TEST_F(LedgerTest, ARollbackForgetsRewardsAndKeepsDecisions) {
  Use({ExperimentSpec{}});
  Decide(0, kT0);
  Count();
  const Reward reward = MakeReward(0, kT0, 1);
  Credit(reward, kT0);
  ledger_->CountOutcome(ledger_->Judge(reward, At(kT0)), Outcome::kDuplicate);
  ledger_->Rollback();
  EXPECT_THAT(ledger_->Outcomes(0, 0), ElementsAre(0, 0, 0, 0, 0, 0));
  EXPECT_TRUE(ledger_->HasChanges());
  ledger_->Commit();
  EXPECT_FALSE(ledger_->HasChanges());
  ledger_->Mature(At(kT0 + 11'000));
  EXPECT_THAT(Moments(0), ElementsAre(1, 0, 0));
}

TEST_F(LedgerTest, StagedRewardsAreNotSeenBeforeTheCommit) {
  Use({{.metrics = {Rating()}}});
  Credit(MakeReward(0, kT0, 1), kT0);
  EXPECT_THAT(Moments(0), ElementsAre(0, 0, 0));
  EXPECT_FALSE(ledger_->TakeProgress(0).changed);
  ledger_->Commit();
  EXPECT_THAT(Moments(0), ElementsAre(1, 1, 0));
  EXPECT_TRUE(ledger_->TakeProgress(0).changed);
}

TEST_F(LedgerTest, OutcomesAreCountedByMetric) {
  Use({{.metrics = {Click(), Rating()}}});
  Reward reward = MakeReward(0, kT0, 1);
  Credit(reward, kT0);
  ledger_->CountOutcome(ledger_->Judge(reward, At(kT0)), Outcome::kDuplicate);
  reward.metric = "rating";
  ledger_->CountOutcome(ledger_->Judge(reward, At(kT0)), Outcome::kLate);
  reward.metric = "made up";
  ledger_->CountOutcome(ledger_->Judge(reward, At(kT0)), Outcome::kRejected);
  ledger_->Commit();
  EXPECT_THAT(ledger_->Outcomes(0, 0), ElementsAre(0, 1, 1, 0, 0, 0));
  EXPECT_THAT(ledger_->Outcomes(0, 1), ElementsAre(0, 0, 0, 1, 0, 0));
}

TEST_F(LedgerTest, ProgressTellsFreshRewardsFromOtherChanges) {
  Use({{.metrics = {Rating(), Click()}, .features = 1}});
  EXPECT_FALSE(ledger_->TakeProgress(0).changed);
  Credit(MakeReward(1, kT0, 3, 0.25, {1, 7}), kT0);
  ledger_->Commit();
  const Progress fresh = ledger_->TakeProgress(0);
  EXPECT_TRUE(fresh.changed);
  EXPECT_TRUE(fresh.only_fresh);
  ASSERT_EQ(fresh.fresh.size(), 1u);
  EXPECT_EQ(fresh.fresh[0].arm, 1u);
  EXPECT_EQ(fresh.fresh[0].reward, 3);
  EXPECT_EQ(fresh.fresh[0].propensity, 0.25);
  EXPECT_THAT(fresh.fresh[0].features, ElementsAre(1, 7));
  // A metric that is not the reward moves nothing.
  Decide(0, kT0, 0.5, {1, 1});
  Count();
  ledger_->Mature(At(kT0 + 60'000));
  EXPECT_FALSE(ledger_->TakeProgress(0).changed);
}

TEST_F(LedgerTest, AMaturedSliceIsNoFreshReward) {
  Use({{.features = 1}});
  Decide(0, kT0, 0.5, {1, 1});
  Count();
  ledger_->Mature(At(kT0 + 60'000));
  const Progress progress = ledger_->TakeProgress(0);
  EXPECT_TRUE(progress.changed);
  EXPECT_FALSE(progress.only_fresh);
}

TEST_F(LedgerTest, MoreFreshRewardsThanAreWorthItAreNotKept) {
  Use({{.metrics = {Rating()}, .features = 1}});
  for (size_t i = 0; i < kMostFresh + 1; ++i) {
    Credit(MakeReward(0, kT0, 1, 0.5, {1, 1}), kT0);
  }
  ledger_->Commit();
  const Progress progress = ledger_->TakeProgress(0);
  EXPECT_TRUE(progress.changed);
  EXPECT_FALSE(progress.only_fresh);
  EXPECT_EQ(progress.fresh.size(), kMostFresh);
}

// As CompilePlan might choose other slices in a later version.
TEST_F(LedgerTest, ALedgerWithOtherSlicesGoesOnWithoutCountingTwice) {
  Use({ExperimentSpec{}});
  for (const int64_t t : {kT0, kT0 + 1500, kT0 + 2500}) Decide(0, t);
  Count();
  ledger_->Mature(At(kT0 + 11'000));
  ASSERT_THAT(Moments(0), ElementsAre(1, 0, 0));
  const auto rows = ledger_->Export(0);
  Use({{.slice = absl::Seconds(4)}});
  for (const auto& row : rows) {
    ASSERT_TRUE(ledger_->Import(0, row).ok());
  }
  Decide(0, kT0 + 3000);  // Its slice begins before what has matured.
  Count();
  Credit(MakeReward(0, kT0 + 2500, 1), kT0 + 11'500);
  ledger_->Commit();
  ledger_->Mature(At(kT0 + 100'000));
  EXPECT_THAT(Moments(0), ElementsAre(4, 0.25, 0.25));
  EXPECT_EQ(ledger_->OpenSlices(0), 0u);
}

TEST_F(LedgerTest, RestoreMatchesArmsByNameAndLeavesOutTheUnknown) {
  Use({ExperimentSpec{}});
  store::StatisticsRow row{.center = 0.0,
                           .matured_before = 7,
                           .outcomes = {0, 5},
                           .arms = {{"candidate", {2, 1, 1, 4, 2, 4}},
                                    {"gone", {9, 9, 9, 9, 9, 9}}}};
  ASSERT_TRUE(ledger_->Restore(0, {"click", store::kTotal}, row).ok());
  ASSERT_TRUE(ledger_->Restore(0, {"gone", store::kTotal}, row).ok());
  EXPECT_THAT(Moments(0), ElementsAre(0, 0, 0));
  EXPECT_THAT(Moments(1), ElementsAre(2, 0.5, 0.5));
  EXPECT_THAT(ledger_->Outcomes(0, 0), ElementsAre(0, 5, 0, 0, 0, 0));
  EXPECT_FALSE(ledger_->HasChanges());
  EXPECT_TRUE(ledger_->TakeProgress(0).changed);
}

TEST_F(LedgerTest, RestoreRefusesVectorsOfAnotherShapeAndAnotherCenter) {
  Use({ExperimentSpec{}});
  store::StatisticsRow row{.center = 0.0,
                           .matured_before = 0,
                           .outcomes = {},
                           .arms = {{"control", {1, 2}}}};
  EXPECT_EQ(ledger_->Restore(0, {"click", store::kTotal}, row).code(),
            absl::StatusCode::kDataLoss);
  row.arms.clear();
  row.center = 1;
  EXPECT_EQ(ledger_->Restore(0, {"click", store::kTotal}, row).code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace bandit::learning
