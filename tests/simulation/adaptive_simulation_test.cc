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
#include "stats/bernoulli_sequence.h"
#include "stats/martingale_srm.h"
#include "stats/off_policy.h"
#include "stats/off_policy_sequence.h"
#include "stats/sequential_srm.h"
#include "tests/simulation/adaptive_trial.h"
#include "tests/simulation/environment.h"

namespace bandit::policies {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(BANDIT_TSAN)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
constexpr double kAlpha = 0.05;

// What a share of `n` intervals that miss with probability `p` at most may be:
// p itself, but for the few runs of a sanitized build, where four standard
// errors are added.
double Limit(double p, double n) {
  return kSanitized ? p + 4 * std::sqrt(p * (1 - p) / n) : p;
}

std::unique_ptr<const Policy> Thompson(size_t arms, double floor) {
  Problem problem;
  problem.arms = arms;
  problem.floor = floor;
  return MakePolicy("thompson", problem, {}).value();
}

enum Method {
  kNaive,      // z-test of the observed means, 20 looks.
  kNaiveEnd,   // The same, at the end only.
  kBernoulli,  // Each arm's successes and draws.
  kRobustIpw,
  kRobustAipw,
  kDesignIpw,  // Value of an arm, asymptotic.
  kDesignAipw,
  kDesignLift,
  kWeightedEnd,        // Hadad et al.'s AIPW value, at the end only.
  kSelfNormalizedEnd,  // Likewise.
  kSplitSrm,           // Against the even split that a bandit does not keep.
  kMartingaleSrm,
  kMethods
};
constexpr const char* kNames[kMethods] = {
    "naive z-test, 20 looks",  "naive z-test, end",
    "Bernoulli sequence",      "robust IPW sequence",
    "robust AIPW sequence",    "design-based IPW value",
    "design-based AIPW value", "design-based AIPW lift",
    "adaptive weights, end",   "SNIPS, end",
    "SRM of an even split",    "martingale SRM"};

// Analyses one trial by every method, and remembers which of them ever failed:
// for one thing that it tells (false alarms), or for each arm.
class Analyst final : public TrialObserver {
 public:
  explicit Analyst(const TrialPlan& plan)
      : plan_(plan), arms_(plan.means.size()) {
    for (std::vector<bool>& missed : missed_) missed.resize(arms_.size());
  }

  void OnRound(const Round& round) override {
    for (size_t i = 0; i < arms_.size(); ++i) {
      Arm& arm = arms_[i];
      const double p = round.propensities[i];
      const bool drawn = round.arm == i;
      const double w = drawn ? 1 / p : 0;
      const double q = arm.prediction;
      arm.truth += plan_.Mean(i, rounds_);
      arm.assignment.Add(p, drawn ? 1 : 0);
      arm.ipw_sums.Add(w, round.reward);
      arm.aipw_sums.Add(w, round.reward, q, q);
      arm.weighted.Add(p, q + (drawn ? w * (round.reward - q) : 0));
      if (drawn) {
        arm.successes += round.reward;
        arm.ipw.AddDrawn(p, round.reward);
        arm.aipw.AddDrawn(p, round.reward, q);
      } else {
        arm.ipw.AddOthers(p);
        arm.aipw.AddOthers(p, q);
      }
    }
    ++rounds_;
  }

  void OnLook(int64_t t) override {
    const bool end = t == plan_.rounds;
    for (size_t i = 0; i < arms_.size(); ++i) {
      Arm& arm = arms_[i];
      // The average of what the arm would have given.
      const double truth = arm.truth / static_cast<double>(t);
      for (const Method method : {kBernoulli, kDesignIpw, kDesignAipw}) {
        Check(method, i, Bounds(method, arm).Contains(truth));
      }
      Check(kRobustIpw, i, arm.ipw.Covers(truth, kAlpha));
      Check(kRobustAipw, i, arm.aipw.Covers(truth, kAlpha));
      for (const Method method : {kWeightedEnd, kSelfNormalizedEnd}) {
        if (end) Check(method, i, Bounds(method, arm).Contains(truth));
      }
      // Not to be moved within a tick.
      arm.prediction = (arm.successes + 1) / (arm.draws() + 2);
    }
    const double lift =
        (arms_[1].truth - arms_[0].truth) / static_cast<double>(t);
    Check(
        kDesignLift, 0,
        stats::DesignBasedLift(arms_[1].aipw_sums, arms_[0].aipw_sums, Design())
            .interval.Contains(lift));
    CheckSrm();
    const bool right = std::abs(Z(lift)) < 1.96;
    if (t % (plan_.rounds / 20) == 0) Check(kNaive, 0, right);
    if (end) Check(kNaiveEnd, 0, right);
  }

  bool missed(Method method, size_t i) const { return missed_[method][i]; }
  // Mean over arms at the end; infinite before the burn-in, and for tests.
  double width(Method method) const {
    double sum = 0;
    for (const Arm& arm : arms_) {
      sum += Bounds(method, arm).width() / static_cast<double>(arms_.size());
    }
    return sum;
  }

 private:
  struct Arm {
    double draws() const { return assignment.count; }

    double truth = 0;  // Sum of its means.
    double successes = 0;
    double prediction = 0.5;
    stats::AssignmentSums assignment;
    stats::OffPolicySums ipw_sums, aipw_sums;
    stats::AdaptivelyWeighted weighted;
    stats::OffPolicySequence ipw{0};
    stats::OffPolicySequence aipw{1};
  };

  // Tuned for the rounds times a typical 0.3 / (1 / 2).
  stats::DesignOptions Design() const {
    return {.alpha = kAlpha,
            .planned = 0.6 * static_cast<double>(plan_.rounds)};
  }

  void Check(Method method, size_t i, bool right) {
    if (!right) missed_[method][i] = true;
  }

  void CheckSrm() {
    std::vector<stats::AssignmentSums> assignments;
    std::vector<double> counts;
    for (const Arm& arm : arms_) {
      assignments.push_back(arm.assignment);
      counts.push_back(arm.draws());
    }
    const auto alarms = [](double log_evidence) {
      return stats::PFromEvidence(log_evidence) < kAlpha;
    };
    Check(kMartingaleSrm, 0,
          !alarms(stats::TestAssignments(assignments).log_evidence));
    Check(kSplitSrm, 0,
          !alarms(stats::LogSrmEvidence(counts,
                                        std::vector<double>(arms_.size(), 1))));
  }

  static stats::Interval Normal(const stats::OffPolicyEstimate& estimate) {
    const double half = 1.96 * estimate.standard_error;
    return {estimate.value - half, estimate.value + half};
  }

  stats::Interval Bounds(Method method, const Arm& arm) const {
    switch (method) {
      case kBernoulli:
        return stats::BernoulliSequence(arm.successes, arm.draws(),
                                        {.alpha = kAlpha, .planned = 500});
      case kRobustIpw:
        return arm.ipw.Bounds(kAlpha);
      case kRobustAipw:
        return arm.aipw.Bounds(kAlpha);
      case kDesignIpw:
        return stats::DesignBasedValue(arm.ipw_sums, Design()).interval;
      case kDesignAipw:
        return stats::DesignBasedValue(arm.aipw_sums, Design()).interval;
      case kWeightedEnd:
        return Normal(arm.weighted.Estimate());
      case kSelfNormalizedEnd:
        return Normal(stats::SelfNormalized(arm.ipw_sums));
      default:
        return {};
    }
  }

  // Of the first two arms' observed means, as one would test a fixed split.
  double Z(double lift) const {
    const Arm& a = arms_[0];
    const Arm& b = arms_[1];
    if (a.draws() < 2 || b.draws() < 2) return 0;
    const double n = a.draws() + b.draws();
    const double pooled = (a.successes + b.successes) / n;
    const double error =
        std::sqrt(pooled * (1 - pooled) * (1 / a.draws() + 1 / b.draws()));
    if (!(error > 0)) return 0;
    return (b.successes / b.draws() - a.successes / a.draws() - lift) / error;
  }

  TrialPlan plan_;
  std::vector<Arm> arms_;
  int64_t rounds_ = 0;
  std::vector<bool> missed_[kMethods];
};

bool PerArm(Method method) {
  switch (method) {
    case kNaive:
    case kNaiveEnd:
    case kDesignLift:
    case kSplitSrm:
    case kMartingaleSrm:
      return false;
    default:
      return true;
  }
}

// The share of intervals, or of tests, that ever failed, by method.
struct Report {
  std::vector<double> missed = std::vector<double>(kMethods);
  int runs = 0;
  size_t arms = 0;

  double limit(Method method) const {
    const double n = runs * (PerArm(method) ? static_cast<double>(arms) : 1);
    return Limit(kAlpha, n);
  }
};

Report Analyse(const TrialPlan& plan, double floor, int runs, uint64_t seed) {
  const auto policy = Thompson(plan.means.size(), floor);
  Report report{.runs = kSanitized ? 10 : runs, .arms = plan.means.size()};
  std::vector<double> width(kMethods);
  for (int run = 0; run < report.runs; ++run) {
    Analyst analyst(plan);
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
  printf("%zu arms, drift %.1f, floor %.2f, mixing %.2f: ever wrong\n",
         plan.means.size(), plan.drift, floor, plan.mixing);
  for (int m = 0; m < kMethods; ++m) {
    report.missed[m] /=
        report.runs * (PerArm(static_cast<Method>(m)) ? report.arms : 1);
    printf("  %-24s %.4f", kNames[m], report.missed[m]);
    if (std::isfinite(width[m])) printf("   width at the end %.3f", width[m]);
    printf("\n");
  }
  return report;
}

// Those that need nothing but the propensities.
constexpr Method kExact[] = {kRobustIpw, kRobustAipw, kMartingaleSrm};
// Those that need a burn-in and a floor as well.
constexpr Method kAsymptotic[] = {kDesignIpw, kDesignAipw, kDesignLift};

void ExpectRight(const Report& report, absl::Span<const Method> methods) {
  for (const Method method : methods) {
    EXPECT_LE(report.missed[method], report.limit(method)) << kNames[method];
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
  printf("a tenth of one arm lost: found in %d of %d runs\n", found, runs);
  EXPECT_GE(found, 0.8 * runs);
}

}  // namespace
}  // namespace bandit::policies
