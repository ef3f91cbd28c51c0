// SPDX-License-Identifier: Apache-2.0
// An arm against the control: the difference of their means and the lift, the
// difference relative to the control's mean.
//
// The two scales can disagree on significance, for the lift also carries the
// doubt about the control's mean; a report must name the one that decides. It
// does not matter what the means were made of: independent units (Welch's
// test), ratios, hash buckets of units.
#ifndef BANDIT_STATS_COMPARISON_H_
#define BANDIT_STATS_COMPARISON_H_

#include <optional>

#include "stats/estimate.h"

namespace bandit::stats {

struct MeanPair {
  MeanEstimate control;
  MeanEstimate treatment;
  // Of the two means; 0 where no unit is in both arms.
  double covariance = 0;
  // Of the difference; unset: Satterthwaite's approximation, for independent
  // means.
  std::optional<double> dof;
};

// treatment - control. Welch (1947), degrees of freedom by Satterthwaite
// (1946), unless the pair has its own.
// If an arm's mean is not valid neither is the difference, for its reason; its
// value is given unless that reason is kInvalid, or an arm is empty.
Estimate Difference(const MeanPair& pair, const TestPlan& plan);

// (treatment - control) / |control|, as a fraction: 0.05 is 5 % more. With the
// absolute value a rise is positive also from a negative baseline.
//
// Variance by the delta method, v_t / c^2 + v_c t^2 / c^4 - 2 cov t / c^3, t
// with the degrees of freedom of the difference. kZeroBaseline if the control's
// mean is 0. Good where that mean is at least about 4 of its standard errors
// away from 0, see Lift.
Estimate DeltaLift(const MeanPair& pair, const TestPlan& plan);

// The same with Fieller's (1954) interval, the exact one if the means are
// normal; p is that of the difference, with which the interval agrees.
// kZeroBaseline, value given, if the control's mean cannot be told from 0 at
// the plan's critical value: the interval is not bounded then. The standard
// error is that of the delta method, for reference.
Estimate FiellerLift(const MeanPair& pair, const TestPlan& plan);

// The control's mean, in standard errors from 0, from which on the delta method
// is good enough: below, a lift is skewed too much for a symmetric interval.
inline constexpr double kStrongBaseline = 4;

enum class LiftMethod { kDelta, kFieller };

struct LiftEstimate {
  LiftMethod method = LiftMethod::kDelta;
  Estimate estimate;
};

// The delta method from kStrongBaseline on, else Fieller's.
LiftEstimate Lift(const MeanPair& pair, const TestPlan& plan);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_COMPARISON_H_
