// SPDX-License-Identifier: Apache-2.0
// Analyses a bandit's trial by every method of stats/ that could be asked,
// after every tick, and remembers which of them was ever wrong.
#ifndef BANDIT_TESTS_SIMULATION_ADAPTIVE_ANALYST_H_
#define BANDIT_TESTS_SIMULATION_ADAPTIVE_ANALYST_H_

#include <cstdint>
#include <vector>

#include "stats/interval.h"
#include "stats/martingale_srm.h"
#include "stats/off_policy.h"
#include "stats/off_policy_sequence.h"
#include "tests/simulation/adaptive_trial.h"

namespace bandit::policies {

enum Method {
  kNaive,      // z-test of the observed means, 20 looks.
  kNaiveEnd,   // The same, at the end only.
  kBernoulli,  // Each arm's successes and draws.
  kRobustIpw,
  kRobustAipw,
  kRobustLift,  // 20 looks: it costs more.
  kDesignIpw,   // Value of an arm, asymptotic.
  kDesignAipw,
  kDesignLift,
  kWeightedEnd,        // Hadad et al.'s AIPW value, at the end only.
  kSelfNormalizedEnd,  // Likewise.
  kSplitSrm,           // Against the even split that a bandit does not keep.
  kMartingaleSrm,
  kMethods
};

const char* MethodName(Method method);
// Whether it says something of each arm; else of the whole trial.
bool PerArm(Method method);

class Analyst final : public TrialObserver {
 public:
  // `alpha` of every method; the naive test's is 0.05.
  Analyst(const TrialPlan& plan, double alpha);

  void OnRound(const Round& round) override;
  void OnLook(int64_t t) override;

  // Whether the method was wrong at any look: of arm `i`, or (i = 0) of the
  // trial.
  bool missed(Method method, size_t i) const { return missed_[method][i]; }
  // Mean width over arms at the end; infinite before the burn-in, and of what
  // has no interval.
  double width(Method method) const;

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
    return {.alpha = alpha_,
            .planned = 0.6 * static_cast<double>(plan_.rounds)};
  }

  void Check(Method method, size_t i, bool right) {
    if (!right) missed_[method][i] = true;
  }
  void CheckArm(size_t i, double truth, bool end);
  void CheckSrm();
  stats::Interval Bounds(Method method, const Arm& arm) const;
  // Of the first two arms' observed means, as one would test a fixed split.
  double Z(double lift) const;

  TrialPlan plan_;
  double alpha_;
  std::vector<Arm> arms_;
  int64_t rounds_ = 0;
  std::vector<bool> missed_[kMethods];
};

}  // namespace bandit::policies

#endif  // BANDIT_TESTS_SIMULATION_ADAPTIVE_ANALYST_H_
