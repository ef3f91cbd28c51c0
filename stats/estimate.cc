// SPDX-License-Identifier: Apache-2.0
#include "stats/estimate.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "stats/distributions.h"

namespace bandit::stats {

std::string_view Describe(Validity validity) {
  switch (validity) {
    case Validity::kValid:
      return "valid";
    case Validity::kTooFew:
      return "too few units to tell";
    case Validity::kNoVariance:
      return "all values are equal";
    case Validity::kZeroBaseline:
      return "the baseline cannot be told from 0";
    case Validity::kInvalid:
      return "an input is not a valid number";
  }
  return "unknown";
}

MeanEstimate MeanOf(const Moments& moments) {
  MeanEstimate estimate{.count = moments.count};
  const double mean = moments.mean();
  const double variance = moments.variance();
  if (!std::isfinite(moments.count) || !std::isfinite(mean) ||
      !std::isfinite(variance) || moments.count < 0) {
    estimate.validity = Validity::kInvalid;
    return estimate;
  }
  estimate.mean = mean;
  if (moments.count < 2) return estimate;
  estimate.validity = variance > 0 ? Validity::kValid : Validity::kNoVariance;
  estimate.variance = variance / moments.count;
  estimate.dof = moments.count - 1;
  return estimate;
}

double CriticalValue(const TestPlan& plan, double dof) {
  assert(plan.alpha > 0 && plan.alpha < 1);
  const double tail =
      plan.alternative == Alternative::kTwoSided ? plan.alpha / 2 : plan.alpha;
  // From the lower tail, where a small alpha keeps its digits.
  return -StudentQuantile(tail, dof);
}

Interval IntervalAround(double value, double reach, const TestPlan& plan) {
  Interval interval;
  if (plan.alternative != Alternative::kLess) interval.low = value - reach;
  if (plan.alternative != Alternative::kGreater) interval.high = value + reach;
  return interval;
}

double PValue(double t, double dof, const TestPlan& plan) {
  switch (plan.alternative) {
    case Alternative::kTwoSided:
      return std::min(1.0, 2 * StudentCdf(-std::abs(t), dof));
    case Alternative::kGreater:
      return StudentCdf(-t, dof);
    case Alternative::kLess:
      return StudentCdf(t, dof);
  }
  return 1;
}

Estimate Infer(double value, double standard_error, double dof,
               const TestPlan& plan) {
  Estimate estimate;
  if (!std::isfinite(value) || !std::isfinite(standard_error) ||
      standard_error < 0 || std::isnan(dof)) {
    estimate.validity = Validity::kInvalid;
    return estimate;
  }
  estimate.value = value;
  if (dof <= 0) return estimate;
  if (standard_error == 0) {
    estimate.validity = Validity::kNoVariance;
    return estimate;
  }
  estimate.validity = Validity::kValid;
  estimate.standard_error = standard_error;
  estimate.dof = dof;
  estimate.interval =
      IntervalAround(value, CriticalValue(plan, dof) * standard_error, plan);
  estimate.p = PValue(value / standard_error, dof, plan);
  return estimate;
}

Estimate Infer(const MeanEstimate& mean, const TestPlan& plan) {
  if (mean.validity == Validity::kValid) {
    return Infer(mean.mean, std::sqrt(mean.variance), mean.dof, plan);
  }
  Estimate estimate;
  estimate.validity = mean.validity;
  estimate.value = mean.mean;
  return estimate;
}

}  // namespace bandit::stats
