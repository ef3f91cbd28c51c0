// SPDX-License-Identifier: Apache-2.0
// What can be believed of traffic that Thompson sampling assigned, looked at
// after every tick: the naive z-test must be seen to fail, and the intervals
// that reports show must not.
//
// A run counts as a miss when an interval leaves the truth out at any look, so
// the shares printed are of whole trials, not of looks.
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "stats/bernoulli_sequence.h"
#include "stats/martingale_srm.h"
#include "stats/off_policy.h"
#include "stats/off_policy_sequence.h"
#include "tests/simulation/adaptive_trial.h"

namespace bandit::policies {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(BANDIT_TSAN)
constexpr int kRuns = 20;
#else
constexpr int kRuns = 400;
#endif
constexpr double kAlpha = 0.05;
// Four standard errors of a share of kRuns at alpha are added to a limit that
// holds only asymptotically; exact methods stay below alpha as they are.
const double kError = std::sqrt(kAlpha * (1 - kAlpha) / kRuns);

std::unique_ptr<const Policy> Thompson(size_t arms, double floor) {
  Problem problem;
  problem.arms = arms;
  problem.floor = floor;
  return MakePolicy("thompson", problem, {}).value();
}

// Analyses one trial by every method, and remembers which of them ever failed.
class Analyst final : public TrialObserver {
 public:
  enum Method {
    kNaive,      // z-test of the observed means, 20 looks.
    kNaiveEnd,   // The same, at the end only.
    kBernoulli,  // Each arm's successes and draws.
    kRobustIpw,
    kRobustAipw,
    kDesignIpw,  // Value of an arm, asymptotic.
    kDesignAipw,
    kDesignLift,
    kSrm,
    kMethods
  };
  static constexpr const char* kNames[kMethods] = {
      "naive z-test, 20 looks",  "naive z-test, at the end",
      "Bernoulli sequence",      "robust IPW sequence",
      "robust AIPW sequence",    "design-based IPW value",
      "design-based AIPW value", "design-based AIPW lift",
      "martingale SRM"};

  explicit Analyst(const TrialPlan& plan) : plan_(plan) {
    for (size_t arm = 0; arm < plan.means.size(); ++arm) {
      arms_.emplace_back();
    }
  }

  void OnRound(const Round& round) override {
    ++rounds_;
    for (size_t i = 0; i < arms_.size(); ++i) {
      Arm& arm = arms_[i];
      const double p = round.propensities[i];
      const bool drawn = round.arm == i;
      const double q = arm.prediction;
      arm.truth += plan_.Mean(i, rounds_ - 1);
      arm.assignment.Add(p, drawn ? 1 : 0);
      arm.ipw_sums.Add(drawn ? 1 / p : 0, round.reward);
      arm.aipw_sums.Add(drawn ? 1 / p : 0, round.reward, q, q);
      if (drawn) {
        arm.draws += 1;
        arm.successes += round.reward;
        arm.ipw.AddDrawn(p, round.reward);
        arm.aipw.AddDrawn(p, round.reward, q);
      } else {
        arm.ipw.AddOthers(p);
        arm.aipw.AddOthers(p, q);
      }
    }
  }

  void OnLook(int64_t t) override {
    const double n = static_cast<double>(t);
    const stats::DesignOptions design{.alpha = kAlpha, .planned = n_planned()};
    for (Arm& arm : arms_) {
      // The average of what the arm would have given.
      const double truth = arm.truth / n;
      Check(kBernoulli,
            plan_.drift != 0 ||
                stats::BernoulliSequence(arm.successes, arm.draws,
                                         {.alpha = kAlpha, .planned = 500})
                    .Contains(truth));
      Check(kRobustIpw, arm.ipw.Covers(truth, kAlpha));
      Check(kRobustAipw, arm.aipw.Covers(truth, kAlpha));
      Check(kDesignIpw, stats::DesignBasedValue(arm.ipw_sums, design)
                            .interval.Contains(truth));
      Check(kDesignAipw, stats::DesignBasedValue(arm.aipw_sums, design)
                             .interval.Contains(truth));
      // Not to be moved within a tick.
      arm.prediction = (arm.successes + 1) / (arm.draws + 2);
    }
    const double lift = (arms_[1].truth - arms_[0].truth) / n;
    Check(kDesignLift,
          stats::DesignBasedLift(arms_[1].aipw_sums, arms_[0].aipw_sums, design)
              .interval.Contains(lift));
    std::vector<stats::AssignmentSums> assignments;
    for (const Arm& arm : arms_) assignments.push_back(arm.assignment);
    Check(kSrm,
          stats::PFromEvidence(
              stats::TestAssignments(assignments).log_evidence) >= kAlpha);
    if (t % (plan_.rounds / 20) == 0) Check(kNaive, std::abs(Z(lift)) < 1.96);
    if (t == plan_.rounds) Check(kNaiveEnd, std::abs(Z(lift)) < 1.96);
  }

  bool missed(Method method) const { return missed_[method]; }
  // Mean width over arms at the end.
  double width(Method method) const {
    double sum = 0;
    for (const Arm& arm : arms_) {
      sum += Bounds(method, arm).width() / static_cast<double>(arms_.size());
    }
    return sum;
  }

 private:
  struct Arm {
    double truth = 0;  // Sum of its means.
    double draws = 0;
    double successes = 0;
    double prediction = 0.5;
    stats::AssignmentSums assignment;
    stats::OffPolicySums ipw_sums, aipw_sums;
    stats::OffPolicySequence ipw{0};
    stats::OffPolicySequence aipw{1};
  };

  // Rounds times a typical 0.3 / (1 / 2).
  double n_planned() const { return 0.6 * static_cast<double>(plan_.rounds); }

  void Check(Method method, bool right) {
    if (!right) missed_[method] = true;
  }

  stats::Interval Bounds(Method method, const Arm& arm) const {
    const stats::DesignOptions design{.alpha = kAlpha, .planned = n_planned()};
    switch (method) {
      case kBernoulli:
        return stats::BernoulliSequence(arm.successes, arm.draws,
                                        {.alpha = kAlpha, .planned = 500});
      case kRobustIpw:
        return arm.ipw.Bounds(kAlpha);
      case kRobustAipw:
        return arm.aipw.Bounds(kAlpha);
      case kDesignIpw:
        return stats::DesignBasedValue(arm.ipw_sums, design).interval;
      case kDesignAipw:
        return stats::DesignBasedValue(arm.aipw_sums, design).interval;
      default:
        return {};
    }
  }

  // Of the first two arms' observed means, as one would test a fixed split.
  double Z(double lift) const {
    const Arm& a = arms_[0];
    const Arm& b = arms_[1];
    if (a.draws < 2 || b.draws < 2) return 0;
    const double pooled = (a.successes + b.successes) / (a.draws + b.draws);
    const double error =
        std::sqrt(pooled * (1 - pooled) * (1 / a.draws + 1 / b.draws));
    return error > 0
               ? (b.successes / b.draws - a.successes / a.draws - lift) / error
               : 0;
  }

  TrialPlan plan_;
  std::vector<Arm> arms_;
  int64_t rounds_ = 0;
  bool missed_[kMethods] = {};
};

// The share of runs in which each method ever failed.
std::vector<double> Misses(const TrialPlan& plan, double floor, uint64_t seed) {
  const auto policy = Thompson(plan.means.size(), floor);
  std::vector<double> misses(Analyst::kMethods);
  std::vector<double> widths(Analyst::kMethods);
  for (int run = 0; run < kRuns; ++run) {
    Analyst analyst(plan);
    RunTrial(*policy, plan, seed + run, analyst);
    for (int m = 0; m < Analyst::kMethods; ++m) {
      const auto method = static_cast<Analyst::Method>(m);
      misses[m] += analyst.missed(method) ? 1.0 / kRuns : 0;
      widths[m] += analyst.width(method) / kRuns;
    }
  }
  printf("means");
  for (const double mean : plan.means) printf(" %.2f", mean);
  printf(", drift %.2f, floor %.2f, mixing %.2f\n", plan.drift, floor,
         plan.mixing);
  for (int m = 0; m < Analyst::kMethods; ++m) {
    printf("  %-26s missed %.4f", Analyst::kNames[m], misses[m]);
    if (std::isfinite(widths[m])) printf(", width %.3f", widths[m]);
    printf("\n");
  }
  return misses;
}

TEST(AdaptiveSimulation, Explore) {
  for (double floor : {0.01, 0.05}) {
    Misses({.means = {0.3, 0.3}}, floor, 1000);
    Misses({.means = {0.3, 0.4}}, floor, 5000);
  }
  Misses({.means = {0.3, 0.3}, .mixing = 0.24}, 0, 1000);
  Misses({.means = {0.3, 0.4}, .mixing = 0.24}, 0, 5000);
  Misses({.means = {0.05, 0.05}, .mixing = 0.24}, 0, 5000);
  Misses({.means = {0.3, 0.3}, .drift = 0.4}, 0.05, 5000);
  Misses({.means = {0.3, 0.3, 0.3, 0.5}}, 0.05, 5000);
}

}  // namespace
}  // namespace bandit::policies
