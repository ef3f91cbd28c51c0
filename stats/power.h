// SPDX-License-Identifier: Apache-2.0
// How long to run: power, sample size and the smallest effect worth waiting
// for, before an experiment starts.
//
// For effects within the plan's alternative; sizes are numbers of independent
// units, not rounded. For k - 1 comparisons with one control divide alpha by
// k - 1 (Bonferroni). With a covariate that correlates by rho with the metric
// (CUPED) a size shrinks by 1 - rho^2. Under a bandit plan with the units that
// the exploration floor assigns, the only ones that are sure.
#ifndef BANDIT_STATS_POWER_H_
#define BANDIT_STATS_POWER_H_

#include "stats/estimate.h"

namespace bandit::stats {

struct PowerPlan {
  TestPlan test;
  // The chance of seeing an effect that is there. REQUIRES: alpha < power < 1.
  double power = 0.8;
  // Units of the treatment for each of the control. REQUIRES: > 0.
  double treatment_ratio = 1;
};

// The chance that an estimate with this standard error falls beyond `critical`
// standard errors, on the plan's sides of 0, if the effect is `effect`. The
// normal's critical value is CriticalValue(plan, infinity); that of a
// confidence sequence (its half-width over the standard error) gives a lower
// bound of the power of a sequential test.
// REQUIRES: standard_error > 0.
double Power(double effect, double standard_error, double critical,
             Alternative alternative = Alternative::kTwoSided);

// The smallest effect, in the unit of the standard error, that is seen with the
// plan's power: (z_alpha + z_power) standard_error. REQUIRES: >= 0.
double MinimumDetectableEffect(double standard_error, const PowerPlan& plan);

// The same for the lift, whose standard error grows with the effect: the
// smallest L > 0 with L = (z_alpha + z_power) SE(L), SE by the delta method.
// Infinity if no lift is large enough: the control's mean is not known well
// enough from so few units. A little on the safe side: the test judges by the
// error of the lift it sees, which is smaller at its border than at L, so the
// power is above the plan's (by 3 points for a lift of 15 %).
// `variance` is that of a unit, in either arm. REQUIRES: variance >= 0, mean
// not 0, control units > 0.
double MinimumDetectableLift(double mean, double variance, double control_units,
                             const PowerPlan& plan);

// Units of the control for a difference of means. Infinity for effect 0.
// REQUIRES: variance >= 0, of a unit, in either arm.
double UnitsForMeans(double variance, double effect, const PowerPlan& plan);

// The same with the t test's own (noncentral t) power: a little more, for small
// samples. At least 2 units.
// REQUIRES: variance > 0.
double UnitsForMeansByT(double variance, double effect, const PowerPlan& plan);

// Units of the control to tell the share `treatment` from `control`: the z test
// with the pooled share (Fleiss, Levin, Paik 2003, eq. 4.14; unequal sizes
// 4.17, without continuity correction). Infinity for equal shares.
// REQUIRES: both in [0, 1].
double UnitsForProportions(double control, double treatment,
                           const PowerPlan& plan);

// The smallest rise over the share `control` (largest fall, if the plan's
// alternative is kLess, as a negative number) that so many units show with the
// plan's power. Infinity (-infinity) if none does.
// REQUIRES: control in [0, 1], control units > 0.
double DetectableProportion(double control, double control_units,
                            const PowerPlan& plan);

// The share of all units that the control should have when `arms` arms, itself
// included, are each compared with it: sqrt(k - 1) to 1 (Dunnett 1955).
// REQUIRES: arms >= 2.
double OptimalControlShare(int arms);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_POWER_H_
