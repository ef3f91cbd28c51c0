// SPDX-License-Identifier: Apache-2.0
#include "stats/cuped.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace bandit::stats {
namespace {

CrossMoments Pooled(absl::Span<const CrossMoments> arms) {
  CrossMoments all;
  if (arms.empty()) return all;
  all.origin_x = arms.front().origin_x;
  all.origin_y = arms.front().origin_y;
  for (const CrossMoments& arm : arms) all.Merge(arm);
  return all;
}

// Of a unit's y - theta x.
double AdjustedVariance(const CrossMoments& arm, double theta) {
  const double plain = arm.y().variance() + theta * theta * arm.x().variance();
  const double adjusted = plain - 2 * theta * arm.covariance();
  // Rounding, where y and x are proportional.
  const double noise = 16 * std::numeric_limits<double>::epsilon() * plain;
  return adjusted <= noise ? 0 : adjusted;
}

// The covariance of a unit's y with its y - theta x.
double CovarianceWithAdjusted(const CrossMoments& arm, double theta) {
  return arm.y().variance() - theta * arm.covariance();
}

Estimate CupedLift(const CrossMoments& control, const CrossMoments& treatment,
                   const CupedComparison& adjusted, const TestPlan& plan) {
  Estimate estimate;
  estimate.validity = adjusted.difference.validity;
  if (estimate.validity != Validity::kValid) return estimate;
  const double c = control.y().mean();
  const double variance_c = control.y().variance() / control.count;
  if (std::abs(c) < kStrongBaseline * std::sqrt(variance_c) || c == 0) {
    estimate.validity = Validity::kZeroBaseline;
    return estimate;
  }
  // Gradients [1, -theta] / c of the treatment's (y, x) and
  // [-t / c^2, theta / c] of the control's. The latter is that of the adjusted
  // mean, -1 / c, and (1 - t / c) / c more for y.
  const double more = 1 - treatment.y().mean() / c;
  const double from_control =
      adjusted.means.control.variance + more * more * variance_c -
      2 * more * CovarianceWithAdjusted(control, adjusted.theta) /
          control.count;
  const double variance =
      (adjusted.means.treatment.variance + from_control) / c / c;
  return Infer(adjusted.difference.value / std::abs(c),
               std::sqrt(std::max(0.0, variance)), adjusted.difference.dof,
               plan);
}

}  // namespace

double CupedTheta(absl::Span<const CrossMoments> arms) {
  const CrossMoments all = Pooled(arms);
  const double variance = all.x().variance();
  if (!(variance > 0)) return 0;
  const double theta = all.covariance() / variance;
  return std::isfinite(theta) ? theta : 0;
}

MeanEstimate CupedMean(const CrossMoments& arm, double theta, double center) {
  MeanEstimate estimate = MeanOf(arm.y());
  if (estimate.validity == Validity::kInvalid) return estimate;
  const double mean = estimate.mean - theta * (arm.x().mean() - center);
  const double variance = AdjustedVariance(arm, theta);
  if (!std::isfinite(mean) || !std::isfinite(variance)) {
    return {.validity = Validity::kInvalid, .count = arm.count};
  }
  estimate.mean = mean;
  if (estimate.validity == Validity::kTooFew) return estimate;
  estimate.validity = variance > 0 ? Validity::kValid : Validity::kNoVariance;
  estimate.variance = variance / arm.count;
  return estimate;
}

CupedComparison CompareCuped(const CrossMoments& control,
                             const CrossMoments& treatment, double theta,
                             const TestPlan& plan) {
  CupedComparison comparison{.theta = theta};
  const double center = Pooled({control, treatment}).x().mean();
  comparison.means = {.control = CupedMean(control, theta, center),
                      .treatment = CupedMean(treatment, theta, center)};
  comparison.difference = Difference(comparison.means, plan);
  comparison.lift = CupedLift(control, treatment, comparison, plan);
  if (comparison.difference.validity == Validity::kValid) {
    const double plain = control.y().variance() / control.count +
                         treatment.y().variance() / treatment.count;
    const double adjusted =
        comparison.means.control.variance + comparison.means.treatment.variance;
    comparison.variance_reduction = plain > 0 ? 1 - adjusted / plain : 0;
  }
  return comparison;
}

std::vector<BucketSums> AdjustBuckets(absl::Span<const BucketSums> metric,
                                      absl::Span<const BucketSums> covariate,
                                      double theta, double center) {
  assert(metric.size() == covariate.size());
  std::vector<BucketSums> adjusted(metric.begin(), metric.end());
  for (size_t i = 0; i < adjusted.size(); ++i) {
    adjusted[i].sum -= theta * (covariate[i].sum - center * covariate[i].count);
  }
  return adjusted;
}

}  // namespace bandit::stats
