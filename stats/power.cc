// SPDX-License-Identifier: Apache-2.0
#include "stats/power.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "stats/distributions.h"
#include "stats/special.h"

namespace bandit::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
double ZAlpha(const PowerPlan& plan) {
  return CriticalValue(plan.test, kInfinity);
}

double ZBoth(const PowerPlan& plan) {
  return ZAlpha(plan) + NormalQuantile(plan.power);
}

// The power of the t test with `units` in the control.
double StudentPower(double units, double variance, double effect,
                    const PowerPlan& plan) {
  const double r = plan.treatment_ratio;
  const double dof = units * (1 + r) - 2;
  const double shift =
      std::abs(effect) / std::sqrt(variance / units * (1 + 1 / r));
  const double critical = CriticalValue(plan.test, dof);
  const double power = 1 - NoncentralStudentCdf(critical, dof, shift);
  return plan.test.alternative == Alternative::kTwoSided
             ? power + NoncentralStudentCdf(-critical, dof, shift)
             : power;
}

}  // namespace

double Power(double effect, double standard_error, double critical,
             Alternative alternative) {
  assert(standard_error > 0);
  const double shift = effect / standard_error;
  const double above = NormalCdf(shift - critical);
  const double below = NormalCdf(-shift - critical);
  switch (alternative) {
    case Alternative::kTwoSided:
      return above + below;
    case Alternative::kGreater:
      return above;
    case Alternative::kLess:
      return below;
  }
  return 0;
}

double MinimumDetectableEffect(double standard_error, const PowerPlan& plan) {
  assert(standard_error >= 0);
  return ZBoth(plan) * standard_error;
}

double MinimumDetectableLift(double mean, double variance, double control_units,
                             const PowerPlan& plan) {
  assert(mean != 0 && variance >= 0 && control_units > 0);
  // L^2 = q (1 / r + (1 + L)^2), q = z^2 variance / (n mean^2).
  const double z = ZBoth(plan);
  const double q = z / mean * (z / mean) * variance / control_units;
  if (!(q < 1)) return kInfinity;
  const double spread = q * (1 + 1 / plan.treatment_ratio);
  return (q + std::sqrt(q * q + (1 - q) * spread)) / (1 - q);
}

double UnitsForMeans(double variance, double effect, const PowerPlan& plan) {
  assert(variance >= 0);
  if (effect == 0) return kInfinity;
  const double z = ZBoth(plan) / effect;
  return z * z * variance * (1 + 1 / plan.treatment_ratio);
}

double UnitsForMeansByT(double variance, double effect, const PowerPlan& plan) {
  assert(variance > 0);
  if (effect == 0) return kInfinity;
  // Both arms need two units for a variance.
  const double fewest = 2 * std::max(1.0, 1 / plan.treatment_ratio);
  const auto enough = [&](double units) {
    return StudentPower(units, variance, effect, plan) >= plan.power;
  };
  const auto short_of = [&](double units) { return !enough(units); };
  // The t test needs more than the z test, by about z^2 / 4 units.
  double high = std::max(fewest, UnitsForMeans(variance, effect, plan));
  if (high > 1e6) return high + ZAlpha(plan) * ZAlpha(plan) / 4;
  while (!enough(high)) high *= 2;
  return enough(fewest) ? fewest : Boundary(fewest, high, short_of);
}

double UnitsForProportions(double control, double treatment,
                           const PowerPlan& plan) {
  assert(control >= 0 && control <= 1 && treatment >= 0 && treatment <= 1);
  const double effect = treatment - control;
  if (effect == 0) return kInfinity;
  const double r = plan.treatment_ratio;
  const double pooled = (control + r * treatment) / (1 + r);
  const double null = std::sqrt(pooled * (1 - pooled) * (1 + 1 / r));
  const double alternative =
      std::sqrt(control * (1 - control) + treatment * (1 - treatment) / r);
  const double root =
      (ZAlpha(plan) * null + NormalQuantile(plan.power) * alternative) / effect;
  return root * root;
}

double DetectableProportion(double control, double control_units,
                            const PowerPlan& plan) {
  assert(control >= 0 && control <= 1 && control_units > 0);
  const bool fall = plan.test.alternative == Alternative::kLess;
  const double sign = fall ? -1 : 1;
  const double room = fall ? control : 1 - control;
  const auto unseen = [&](double effect) {
    const double treatment = std::clamp(control + sign * effect, 0.0, 1.0);
    return UnitsForProportions(control, treatment, plan) > control_units;
  };
  if (unseen(room)) return sign * kInfinity;
  return sign * Boundary(0, room, unseen);
}

double OptimalControlShare(int arms) {
  assert(arms >= 2);
  return 1 / (1 + std::sqrt(arms - 1.0));
}

}  // namespace bandit::stats
