// SPDX-License-Identifier: Apache-2.0
// Do the intervals that a report shows hold at every look while Thompson
// sampling moves the traffic? 400 runs of 2,000 rounds, a look each 20.
#include <cstdio>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "router/report/arm_sums.h"
#include "router/report/effects.h"
#include "tests/simulation/adaptive_trial.h"

namespace bandit::report {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(BANDIT_TSAN)
constexpr int kRuns = 10;
#else
constexpr int kRuns = 400;
#endif

// Sums the rounds as the router does, and asks for the intervals at each look.
class Reader : public policies::TrialObserver {
 public:
  explicit Reader(const policies::TrialPlan& plan, uint64_t seed)
      : plan_(plan), units_(seed) {
    for (auto& arm : arms_) arm.resize(layout_.total_size());
  }

  void OnRound(const policies::Round& round) override {
    experiment::Decision decision;
    decision.arm = static_cast<uint32_t>(round.arm);
    decision.propensity = round.propensities[round.arm];
    decision.unit = units_();
    const absl::Span<double> arm = absl::MakeSpan(arms_[round.arm]);
    learning::AddDecision(layout_, decision, arm);
    learning::AddReward(layout_, decision, round.reward,
                        arm.subspan(layout_.decision_size()));
    ++rounds_;
    for (size_t a = 0; a < 2; ++a) truth_[a] += plan_.Mean(a, rounds_ - 1);
  }

  void OnLook(int64_t t) override {
    const Setting setting{.adaptive = true, .planned = 2000};
    const ArmSums control(layout_, 0, arms_[0]);
    const ArmSums candidate(layout_, 0, arms_[1]);
    const auto n = static_cast<double>(t);
    const ArmData c{.sums = &control, .binary = true, .decisions = n};
    const ArmData a{.sums = &candidate, .binary = true, .decisions = n};
    ++looks;
    Check(MeanEffect(c, setting), truth_[0] / n, 0);
    Check(MeanEffect(a, setting), truth_[1] / n, 1);
    Check(Compare(c, a, setting).difference, (truth_[1] - truth_[0]) / n, 2);
  }

  static constexpr size_t kIntervals = 3;
  int looks = 0;
  int misses_at_looks[kIntervals] = {};
  bool ever_missed[kIntervals] = {};
  bool shown[kIntervals] = {};

 private:
  void Check(const v1::Effect& effect, double truth, size_t i) {
    if (!effect.has_anytime()) return;
    shown[i] = true;
    if (effect.anytime().low() <= truth && truth <= effect.anytime().high()) {
      return;
    }
    ++misses_at_looks[i];
    ever_missed[i] = true;
  }

  policies::TrialPlan plan_;
  learning::MeasureLayout layout_;
  std::vector<double> arms_[2];
  std::mt19937_64 units_;
  int64_t rounds_ = 0;
  double truth_[2] = {};
};

void ExpectCoverage(const policies::TrialPlan& plan, double floor) {
  policies::Problem problem;
  problem.arms = 2;
  problem.floor = floor;
  const auto policy = policies::MakePolicy("thompson", problem, {}).value();
  int ever[Reader::kIntervals] = {}, at_looks[Reader::kIntervals] = {};
  int shown[Reader::kIntervals] = {};
  int looks = 0;
  for (int run = 0; run < kRuns; ++run) {
    Reader reader(plan, 1000 + run);
    policies::RunTrial(*policy, plan, 1000 + run, reader);
    looks += reader.looks;
    for (size_t i = 0; i < Reader::kIntervals; ++i) {
      ever[i] += reader.ever_missed[i] ? 1 : 0;
      at_looks[i] += reader.misses_at_looks[i];
      shown[i] += reader.shown[i] ? 1 : 0;
    }
  }
  const char* names[] = {"control", "candidate", "difference"};
  printf("means %.2f %.2f, drift %.2f, floor %.2f\n", plan.means[0],
         plan.means[1], plan.drift, floor);
  for (size_t i = 0; i < Reader::kIntervals; ++i) {
    printf(
        "  %-10s shown in %3d of %d runs, ever missed in %.4f, at a look "
        "%.5f\n",
        names[i], shown[i], kRuns, static_cast<double>(ever[i]) / kRuns,
        static_cast<double>(at_looks[i]) / looks);
    // Of whole runs: stronger than of looks. A few runs get a few errors more.
    EXPECT_LE(ever[i], kRuns >= 400 ? kRuns * 0.05 : 3) << names[i];
  }
  EXPECT_GT(shown[1], kRuns / 2);
}

TEST(ReportSimulationTest, CoverageUnderThompsonSampling) {
  ExpectCoverage({.means = {0.3, 0.5}}, 0.01);
  ExpectCoverage({.means = {0.1, 0.12}}, 0.02);
}

TEST(ReportSimulationTest, CoverageWhileRatesDrift) {
  ExpectCoverage({.means = {0.3, 0.4}, .drift = 0.2}, 0.05);
}

}  // namespace
}  // namespace bandit::report
