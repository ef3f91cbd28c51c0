// SPDX-License-Identifier: Apache-2.0
#include "router/learning/measures.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "router/learning/ledger.h"
#include "tests/unit/learning/test_plan.h"

namespace bandit::learning {
namespace {

using bandit::testing::Click;
using bandit::testing::ExperimentSpec;
using bandit::testing::MakeDecision;
using bandit::testing::MakePlan;
using bandit::testing::Rating;
using ::testing::Each;

constexpr int64_t kT0 = 1'000'000;
const MeasureLayout kLayout;

absl::Time At(int64_t ms) { return absl::FromUnixMillis(ms); }

uint64_t UnitIn(size_t bucket) { return uint64_t{bucket} << 58; }

// Over all cells.
double Sum(const std::vector<double>& measures, size_t first, size_t stride) {
  double sum = 0;
  for (size_t cell = 0; cell < kLayout.cells(); ++cell) {
    sum += measures[first + cell * stride];
  }
  return sum;
}
double Decided(const std::vector<double>& total) {
  return Sum(total, MeasureLayout::kCount, MeasureLayout::kDecisionCell);
}
double Rewarded(const std::vector<double>& total) {
  return Sum(total, kLayout.decision_size() + MeasureLayout::kSum,
             MeasureLayout::kRewardCell);
}

class MeasuresTest : public ::testing::Test {
 protected:
  void Use(const std::vector<ExperimentSpec>& specs) {
    plan_ = MakePlan(specs);
    ledger_ = std::make_unique<Ledger>(plan_);
    workers_ = std::make_unique<WorkerStatistics>(plan_);
  }
  experiment::Decision Made(uint32_t arm, size_t bucket, double p,
                            int64_t time_ms = kT0) {
    experiment::Decision decision =
        MakeDecision(*plan_, 0, arm, time_ms, ++id_, p);
    decision.unit = UnitIn(bucket);
    return decision;
  }
  void Count() {
    const auto delta = workers_->Take();
    ledger_->CountDecisions(0, delta->experiments[0].slices);
    ledger_->AddMeasures(0, delta->experiments[0]);
  }
  void Credit(const experiment::Decision& decision, double value) {
    const Reward reward{.decision = decision, .metric = "", .value = value};
    const Verdict verdict = ledger_->Judge(reward, At(decision.time_ms));
    ASSERT_EQ(verdict.outcome, Outcome::kAccepted);
    ledger_->Credit(reward, verdict);
    ledger_->Commit();
  }
  // What another ledger restores from all that was to be written.
  std::unique_ptr<Ledger> Restarted() {
    auto next = std::make_unique<Ledger>(plan_);
    for (const Ledger::Change& change : ledger_->Changes()) {
      if (!change.value) continue;
      const auto row = store::Decode(*change.value);
      EXPECT_TRUE(row.ok() && next->Restore(0, change.key, *row).ok());
    }
    return next;
  }

  std::shared_ptr<const experiment::Plan> plan_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<WorkerStatistics> workers_;
  uint64_t id_ = 0;
};

// Two units with two decisions each, one click: by bucket, and not before the
// window has passed.
TEST_F(MeasuresTest, MatureDecisionsAndRewardsAreSummedByBucketOfTheUnit) {
  Use({{.metrics = {Click()}}});
  const auto clicked = Made(1, 5, 0.25);
  for (const auto& d :
       {clicked, Made(1, 5, 0.25), Made(1, 63, 0.5), Made(1, 63, 0.5)}) {
    workers_->OnDecision(0, d);
  }
  Count();
  Credit(clicked, 1);
  EXPECT_THAT(ledger_->Measures(0, 0, 1), Each(0));
  ledger_->Mature(At(kT0 + 11'000));
  const std::vector<double> total = ledger_->Measures(0, 0, 1);
  ASSERT_EQ(total.size(), kLayout.total_size());
  const auto decided = [&](size_t bucket, size_t what) {
    return total[bucket * MeasureLayout::kDecisionCell + what];
  };
  EXPECT_EQ(decided(5, MeasureLayout::kCount), 2);
  EXPECT_EQ(decided(5, MeasureLayout::kWeights), 8);
  EXPECT_EQ(decided(63, MeasureLayout::kCount), 2);
  EXPECT_EQ(decided(63, MeasureLayout::kWeights), 4);
  EXPECT_EQ(Decided(total), 4);
  const double* rewards = total.data() + kLayout.decision_size();
  EXPECT_EQ(rewards[5 * MeasureLayout::kRewardCell + MeasureLayout::kSum], 1);
  EXPECT_EQ(rewards[5 * MeasureLayout::kRewardCell + MeasureLayout::kWeighted],
            4);
  EXPECT_EQ(Rewarded(total), 1);
  const double* tail = rewards + kLayout.cells() * MeasureLayout::kRewardCell;
  EXPECT_EQ(tail[MeasureLayout::kRewards], 1);
  EXPECT_EQ(tail[MeasureLayout::kSquares], 1);
  EXPECT_EQ(tail[MeasureLayout::kWeightedSquares], 16);
  EXPECT_EQ(tail[MeasureLayout::kCrossed], 16);
  EXPECT_EQ(total[kLayout.cells() * MeasureLayout::kDecisionCell +
                  MeasureLayout::kSquaredWeights],
            16 + 16 + 4 + 4);
  EXPECT_THAT(ledger_->Measures(0, 0, 0), Each(0));
}

TEST_F(MeasuresTest, WithoutADefaultOnlyTheRewardedCount) {
  Use({{.metrics = {Rating()}}});
  workers_->OnDecision(0, Made(0, 1, 0.5));
  Count();
  Credit(Made(0, 2, 0.5), 3);
  Credit(Made(0, 2, 0.5), 5);
  const std::vector<double> total = ledger_->Measures(0, 0, 0);
  EXPECT_EQ(Decided(total), 2);
  // About the first value.
  EXPECT_EQ(ledger_->Center(0, 0), 3);
  EXPECT_EQ(Rewarded(total), 2);
}

TEST_F(MeasuresTest, CallsAreMeasuredWhateverTheReward) {
  auto plan =
      std::make_shared<experiment::Plan>(*MakePlan({{.metrics = {Click()}}}));
  plan->experiments[0].arms[1].cost = 1.5;
  plan->experiments[0].arms[1].cost_per_byte = 0.01;
  plan_ = plan;
  ledger_ = std::make_unique<Ledger>(plan_);
  workers_ = std::make_unique<WorkerStatistics>(plan_);
  const auto decision = Made(1, 7, 0.5);
  workers_->OnFinish(0, decision,
                     {.code = 14,
                      .latency_ns = 3'000'000,
                      .ttfb_ns = 2'000'000,
                      .response_bytes = 100});
  workers_->OnFinish(0, decision, {.latency_ns = 5'000'000});
  Count();
  ledger_->CloseMeasures(At(kT0), /*all=*/true);
  const std::vector<double> calls = ledger_->Calls(0, 1);
  ASSERT_EQ(calls.size(), CallsSize(kLayout));
  EXPECT_EQ(Decided(calls), 2);
  const double expected[] = {8, 7, 1, 100, 4};  // ms, ms, errors, bytes, cost
  for (size_t m = 0; m < kMeasuredCalls.size(); ++m) {
    EXPECT_EQ(calls[kLayout.decision_size() + m * kLayout.reward_size() +
                    7 * MeasureLayout::kRewardCell + MeasureLayout::kSum],
              expected[m])
        << m;
  }
  const auto latency = latency_cells::Read(ledger_->Latency(0, 1));
  ASSERT_EQ(latency.size(), 2u);
  EXPECT_LE(latency[0].low, 3e6);
  EXPECT_GE(latency[0].high, 3e6);
}

// A commit a tick would wear the disk for numbers that no one is promised.
TEST_F(MeasuresTest, WhatIsMeasuredOfCallsIsWrittenOnceASecond) {
  Use({{.metrics = {Click()}}});
  workers_->OnFinish(0, Made(1, 7, 0.5), {});
  Count();
  ledger_->CloseMeasures(At(kT0), /*all=*/false);
  EXPECT_TRUE(ledger_->HasChanges());
  ledger_->Commit();
  workers_->OnFinish(0, Made(1, 7, 0.5), {});
  Count();
  ledger_->CloseMeasures(At(kT0 + 999), /*all=*/false);
  EXPECT_FALSE(ledger_->HasChanges());
  ledger_->CloseMeasures(At(kT0 + 1000), /*all=*/false);
  EXPECT_EQ(Decided(ledger_->Calls(0, 1)), 2);
}

TEST_F(MeasuresTest, DrawsAreCountedBesideWhatWasDue) {
  Use({{.metrics = {Click()}}});
  workers_->OnDecision(0, Made(1, 3, 0.25), {{0.75, 0.25}});
  workers_->OnDecision(0, Made(0, 4, 0.5), {{0.5, 0.5}});
  Count();
  ledger_->CloseMeasures(At(kT0), /*all=*/true);
  const auto control = ledger_->Assignment(0, 0);
  const auto candidate = ledger_->Assignment(0, 1);
  const auto at = [](size_t bucket, size_t what) {
    return bucket * assignment::kCell + what;
  };
  EXPECT_EQ(candidate[at(3, assignment::kDrawn)], 1);
  EXPECT_EQ(candidate[at(3, assignment::kExpected)], 0.25);
  EXPECT_EQ(control[at(3, assignment::kDrawn)], 0);
  EXPECT_EQ(control[at(3, assignment::kExpected)], 0.75);
  EXPECT_EQ(control[at(4, assignment::kDrawn)], 1);
  EXPECT_EQ(candidate[assignment::kVariance], 0.1875 + 0.25);
}

TEST_F(MeasuresTest, ARestartKeepsAllOfIt) {
  Use({{.metrics = {Click()}}});
  const auto decision = Made(1, 9, 0.5);
  workers_->OnDecision(0, decision, {{0.5, 0.5}});
  workers_->OnFinish(0, decision, {.latency_ns = 7'000'000});
  Count();
  ledger_->CloseMeasures(At(kT0), /*all=*/true);
  const Reward reward{.decision = decision, .metric = "", .value = 1};
  ledger_->Credit(reward, ledger_->Judge(reward, At(kT0)));
  const std::unique_ptr<Ledger> restarted = Restarted();
  ledger_->Commit();
  for (Ledger* ledger : {ledger_.get(), restarted.get()}) {
    ledger->Mature(At(kT0 + 60'000));
    EXPECT_EQ(Decided(ledger->Measures(0, 0, 1)), 1);
    EXPECT_EQ(Rewarded(ledger->Measures(0, 0, 1)), 1);
    EXPECT_EQ(Decided(ledger->Calls(0, 1)), 1);
  }
  EXPECT_EQ(restarted->Latency(0, 1), ledger_->Latency(0, 1));
  EXPECT_EQ(restarted->Assignment(0, 1), ledger_->Assignment(0, 1));
}

// The rows of a router that did not measure yet.
TEST_F(MeasuresTest, RowsFromBeforeThereWereMeasuresAreTaken) {
  Use({{.metrics = {Click()}}});
  store::StatisticsRow old{.center = 0,
                           .outcomes = {0, 2},
                           .arms = {{"control", {10, 2, 2, 20, 4, 8}},
                                    {"candidate", {0, 0, 0, 0, 0, 0}}}};
  ASSERT_TRUE(
      ledger_->Restore(0, {.metric = "click", .slice = store::kTotal}, old)
          .ok());
  EXPECT_EQ(ledger_->Total(0, 0, 0)[0], 10);
  EXPECT_THAT(ledger_->Measures(0, 0, 0), Each(0));
  old.arms[0].vector.push_back(1);
  old.arms[1].vector.push_back(1);
  EXPECT_EQ(
      ledger_->Restore(0, {.metric = "click", .slice = store::kTotal}, old)
          .code(),
      absl::StatusCode::kDataLoss);
}

TEST_F(MeasuresTest, MemoryDoesNotGrowWithTheNumberOfDecisions) {
  Use({{.metrics = {Click()}}});
  const auto run = [&](int decisions) {
    for (int i = 0; i < decisions; ++i) {
      const auto decision = Made(i % 2, i % kUnitBuckets, 0.5);
      workers_->OnDecision(0, decision, {{0.5, 0.5}});
      workers_->OnFinish(0, decision, {.latency_ns = 1'000'000 + i});
    }
    Count();
    ledger_->CloseMeasures(At(kT0), /*all=*/true);
    size_t bytes = 0;
    for (const Ledger::Change& change : ledger_->Changes()) {
      bytes += change.value->size();
    }
    return bytes;
  };
  const size_t few = run(1000);
  EXPECT_EQ(run(100'000), few);
  EXPECT_LT(few, 64u << 10);
}

TEST(LatencyCellsTest, QuantilesAreWithinTheWidthOfACell) {
  for (uint64_t ns = 100; ns < 4'000'000'000'000; ns += ns / 50 + 1) {
    std::vector<double> cells(latency_cells::kSize);
    stats::LogLinearHistogram one;
    one.Record(ns);
    latency_cells::Add(one, absl::MakeSpan(cells));
    const auto read = latency_cells::Read(cells);
    ASSERT_EQ(read.size(), 1u) << ns;
    EXPECT_LE(read[0].low, static_cast<double>(ns)) << ns;
    EXPECT_GT(read[0].high, static_cast<double>(ns) * (1 - 1e-12)) << ns;
    if (read[0].low > 0) {
      EXPECT_LE(read[0].high / read[0].low, 1 + 1.0 / 32 + 1e-12) << ns;
    }
  }
}

}  // namespace
}  // namespace bandit::learning
