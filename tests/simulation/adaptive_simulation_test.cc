// SPDX-License-Identifier: Apache-2.0
// What can be believed of traffic that Thompson sampling assigned, looked at
// after every tick: the naive z-test must be seen to fail, and the intervals
// that reports show must not.
//
// An interval misses when it leaves the truth out at any of the looks, so the
// shares printed are of whole trials, not of looks.
#include <cmath>
#include <cstdio>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "stats/martingale_srm.h"
#include "tests/simulation/adaptive_analyst.h"
#include "tests/simulation/adaptive_trial.h"
#include "tests/simulation/draws.h"
#include "tests/simulation/environment.h"

namespace bandit::policies {
namespace {

using stats::kSanitized;

constexpr double kAlpha = 0.05;

std::unique_ptr<const Policy> Thompson(size_t arms, double floor) {
  Problem problem;
  problem.arms = arms;
  problem.floor = floor;
  return MakePolicy("thompson", problem, {}).value();
}

// The share of intervals, or of tests, that ever failed, by method.
struct Report {
  std::vector<double> missed = std::vector<double>(kMethods);
  int runs = 0;
  size_t arms = 0;

  double limit(Method method) const {
    const double n = runs * (PerArm(method) ? static_cast<double>(arms) : 1);
    return stats::Limit(kAlpha, n);
  }
};

Report Analyse(const TrialPlan& plan, double floor, int runs, uint64_t seed) {
  const auto policy = Thompson(plan.means.size(), floor);
  Report report{.runs = kSanitized ? 10 : runs, .arms = plan.means.size()};
  std::vector<double> width(kMethods);
  for (int run = 0; run < report.runs; ++run) {
    Analyst analyst(plan, kAlpha);
    RunTrial(*policy, plan, seed + run, analyst);
    for (int m = 0; m < kMethods; ++m) {
      const auto method = static_cast<Method>(m);
      const size_t intervals = PerArm(method) ? report.arms : 1;
      for (size_t i = 0; i < intervals; ++i) {
        report.missed[m] += analyst.missed(method, i) ? 1 : 0;
      }
      width[m] += analyst.width(method) / report.runs;
    }
  }
  std::printf("%zu arms, drift %.1f, floor %.2f, mixing %.2f: ever wrong\n",
              plan.means.size(), plan.drift, floor, plan.mixing);
  for (int m = 0; m < kMethods; ++m) {
    report.missed[m] /=
        report.runs * (PerArm(static_cast<Method>(m)) ? report.arms : 1);
    std::printf("  %-24s %.4f", MethodName(static_cast<Method>(m)),
                report.missed[m]);
    if (std::isfinite(width[m]))
      std::printf("   width at the end %.3f", width[m]);
    std::printf("\n");
  }
  return report;
}

// Those that need nothing but the propensities.
constexpr Method kExact[] = {kRobustIpw, kRobustAipw, kRobustLift,
                             kMartingaleSrm};
// Those that need a burn-in and a floor as well.
constexpr Method kAsymptotic[] = {kDesignIpw, kDesignAipw, kDesignLift};

void ExpectRight(const Report& report, absl::Span<const Method> methods) {
  for (const Method method : methods) {
    EXPECT_LE(report.missed[method], report.limit(method))
        << MethodName(method);
  }
}

// The headline: 400 runs of 2000 rounds, two arms that are alike.
TEST(AdaptiveSimulation, NaiveTestsFailAndSequencesHoldUnderThompson) {
  const Report report = Analyse({.means = {0.3, 0.3}}, 0.05, 400, 1000);
  ExpectRight(report, kExact);
  ExpectRight(report, kAsymptotic);
  ExpectRight(report, {kBernoulli});
  if (kSanitized) return;
  // Must fail, or this simulation could not tell right from wrong: three times
  // its level.
  EXPECT_GT(report.missed[kNaive], 3 * kAlpha);
  EXPECT_GT(report.missed[kSplitSrm], 0.5);
  // One look at the end, asymptotic: within four standard errors of 800.
  EXPECT_LE(report.missed[kWeightedEnd], kAlpha + 0.031);
  EXPECT_LE(report.missed[kSelfNormalizedEnd], kAlpha + 0.031);
}

TEST(AdaptiveSimulation, SequencesHoldForManyArmsWithABest) {
  const Report report =
      Analyse({.means = {0.3, 0.3, 0.3, 0.5}}, 0.02, 150, 5000);
  ExpectRight(report, kExact);
  ExpectRight(report, kAsymptotic);
  ExpectRight(report, {kBernoulli});
}

// No floor, but a share that shrinks slowly enough (MAD), and rare successes.
TEST(AdaptiveSimulation, SequencesHoldForRareSuccessesUnderMixing) {
  const Report report =
      Analyse({.means = {0.05, 0.07}, .mixing = 0.24}, 0, 150, 9000);
  ExpectRight(report, kExact);
  ExpectRight(report, kAsymptotic);
  ExpectRight(report, {kBernoulli});
}

// A rate that moves has no Bernoulli sequence, and its average is what the
// others bound. With next to no floor weights reach 100, and the asymptotic
// sequences cannot know how much they have not seen.
TEST(AdaptiveSimulation, SequencesHoldForMeansThatDrift) {
  const TrialPlan plan{.means = {0.3, 0.3}, .drift = 0.4};
  const Report floor = Analyse(plan, 0.05, 150, 13000);
  ExpectRight(floor, kExact);
  ExpectRight(floor, kAsymptotic);
  ExpectRight(Analyse(plan, 0.01, 150, 13000), kExact);
}

// A tenth of one arm's decisions goes missing from the log, while shares move.
class Lossy final : public TrialObserver {
 public:
  explicit Lossy(uint64_t seed) : uniform_(seed), arms_(2) {}

  void OnRound(const Round& round) override {
    if (round.arm == 1 && uniform_() < 0.1) return;
    for (size_t i = 0; i < arms_.size(); ++i) {
      arms_[i].Add(round.propensities[i], round.arm == i ? 1 : 0);
    }
  }
  void OnLook(int64_t) override {
    const double log_evidence = stats::TestAssignments(arms_).log_evidence;
    if (stats::PFromEvidence(log_evidence) < 0.001) found_ = true;
  }
  bool found() const { return found_; }

 private:
  Uniform uniform_;
  std::vector<stats::AssignmentSums> arms_;
  bool found_ = false;
};

TEST(AdaptiveSimulation, TheMartingaleTestFindsLostDecisions) {
  const auto policy = Thompson(2, 0.05);
  const int runs = kSanitized ? 5 : 50;
  int found = 0;
  for (int run = 0; run < runs; ++run) {
    Lossy lossy(77 + run);
    RunTrial(*policy, {.means = {0.3, 0.3}, .rounds = 40000, .tick = 400},
             17000 + run, lossy);
    found += lossy.found() ? 1 : 0;
  }
  std::printf("a tenth of one arm lost: found in %d of %d runs\n", found, runs);
  EXPECT_GE(found, 0.8 * runs);
}

}  // namespace
}  // namespace bandit::policies
