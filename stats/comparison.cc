// SPDX-License-Identifier: Apache-2.0
#include "stats/comparison.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace bandit::stats {
namespace {

Validity Worst(const MeanPair& pair) {
  if (!std::isfinite(pair.covariance)) return Validity::kInvalid;
  // Of two reasons the one that says least.
  return std::max(pair.control.validity, pair.treatment.validity,
                  [](Validity a, Validity b) {
                    const auto rank = [](Validity v) {
                      if (v == Validity::kValid) return 0;
                      if (v == Validity::kNoVariance) return 1;
                      if (v == Validity::kZeroBaseline) return 2;
                      return v == Validity::kTooFew ? 3 : 4;
                    };
                    return rank(a) < rank(b);
                  });
}

bool HasMeans(const MeanPair& pair) {
  return Worst(pair) != Validity::kInvalid && pair.control.count > 0 &&
         pair.treatment.count > 0;
}

// What is left to say when the test is not: the value.
Estimate Refuse(Validity why, double value) {
  Estimate estimate;
  estimate.validity = why;
  estimate.value = value;
  return estimate;
}

double DegreesOfFreedom(const MeanPair& pair) {
  if (pair.dof) return *pair.dof;
  const double c = pair.control.variance;
  const double t = pair.treatment.variance;
  // As shares: squares of variances could underflow.
  const double share = c / (c + t);
  return 1 / (share * share / pair.control.dof +
              (1 - share) * (1 - share) / pair.treatment.dof);
}

double DifferenceVariance(const MeanPair& pair) {
  return std::max(0.0, pair.control.variance + pair.treatment.variance -
                           2 * pair.covariance);
}

double LiftValue(const MeanPair& pair) {
  return (pair.treatment.mean - pair.control.mean) /
         std::abs(pair.control.mean);
}

double DeltaVariance(const MeanPair& pair) {
  const double c = pair.control.mean;
  const double ratio = pair.treatment.mean / c;
  return std::max(
      0.0, (pair.treatment.variance + pair.control.variance * ratio * ratio -
            2 * pair.covariance * ratio) /
               c / c);
}

// What makes a lift impossible, if anything does.
std::optional<Estimate> RefuseLift(const MeanPair& pair) {
  const Validity worst = Worst(pair);
  if (!HasMeans(pair)) return Refuse(worst, 0);
  if (pair.control.mean == 0) return Refuse(Validity::kZeroBaseline, 0);
  if (worst != Validity::kValid) return Refuse(worst, LiftValue(pair));
  return std::nullopt;
}

}  // namespace

Estimate Difference(const MeanPair& pair, const TestPlan& plan) {
  const Validity worst = Worst(pair);
  if (!HasMeans(pair)) return Refuse(worst, 0);
  const double value = pair.treatment.mean - pair.control.mean;
  if (worst != Validity::kValid) return Refuse(worst, value);
  return Infer(value, std::sqrt(DifferenceVariance(pair)),
               DegreesOfFreedom(pair), plan);
}

Estimate DeltaLift(const MeanPair& pair, const TestPlan& plan) {
  if (auto refused = RefuseLift(pair)) return *refused;
  return Infer(LiftValue(pair), std::sqrt(DeltaVariance(pair)),
               DegreesOfFreedom(pair), plan);
}

Estimate FiellerLift(const MeanPair& pair, const TestPlan& plan) {
  if (auto refused = RefuseLift(pair)) return *refused;
  const Estimate difference = Difference(pair, plan);
  if (difference.validity != Validity::kValid) {
    return Refuse(difference.validity, LiftValue(pair));
  }
  // The ratios R with (t - R c)^2 <= q^2 Var(t - R c): a R^2 - 2 b R + d <= 0.
  const double c = pair.control.mean;
  const double t = pair.treatment.mean;
  const double q = CriticalValue(plan, difference.dof);
  const double a = c * c - q * q * pair.control.variance;
  const double b = c * t - q * q * pair.covariance;
  const double d = t * t - q * q * pair.treatment.variance;
  if (!(a > 0)) return Refuse(Validity::kZeroBaseline, LiftValue(pair));
  const double root = std::sqrt(std::max(0.0, b * b - a * d));
  double low = (b - root) / a - 1;
  double high = (b + root) / a - 1;
  if (c < 0) low = -std::exchange(high, -low);
  Estimate estimate = difference;
  estimate.value = LiftValue(pair);
  estimate.standard_error = std::sqrt(DeltaVariance(pair));
  if (plan.alternative != Alternative::kLess) estimate.interval.low = low;
  if (plan.alternative != Alternative::kGreater) estimate.interval.high = high;
  return estimate;
}

LiftEstimate Lift(const MeanPair& pair, const TestPlan& plan) {
  const bool strong = std::abs(pair.control.mean) >=
                      kStrongBaseline * std::sqrt(pair.control.variance);
  return strong ? LiftEstimate{LiftMethod::kDelta, DeltaLift(pair, plan)}
                : LiftEstimate{LiftMethod::kFieller, FiellerLift(pair, plan)};
}

}  // namespace bandit::stats
