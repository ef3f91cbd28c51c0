// SPDX-License-Identifier: Apache-2.0
#include "stats/off_policy.h"

#include <algorithm>
#include <cmath>

#include "stats/mixture.h"

namespace bandit::stats {
namespace {

// Of a mean: the unbiased variance of n values by their sums, over n.
double StandardError(double n, double sum, double squares) {
  if (n < 2) return 0;
  const double about_mean = squares - sum * sum / n;
  return std::sqrt(std::max(0.0, about_mean) / (n - 1) / n);
}

// `noise` is the sum of squares that bounds the estimate's variance.
AnytimeEstimate DesignBased(double estimate, double n, double noise,
                            const DesignOptions& options) {
  AnytimeEstimate result{.estimate = estimate};
  if (!(noise > 0)) return result;
  const double rho = BestRho(options.planned, options.alpha);
  const double half = NormalRadius(noise, rho, options.alpha) / n;
  result.interval = {estimate - half, estimate + half};
  result.p = PFromEvidence(LogNormalMixture(n * estimate, noise, rho));
  return result;
}

}  // namespace

void OffPolicySums::Add(double w, double r, double q, double m, double times) {
  const double noise = w > 0 ? w * (r - q) : 0;
  const double value = w > 0 ? w * r : 0;
  const double score = m + noise;
  decisions += times;
  if (w > 0) draws += times;
  weights += times * w;
  squared_weights += times * w * w;
  weighted += times * value;
  weighted_squares += times * value * value;
  crossed += times * w * value;
  scores += times * score;
  squared_scores += times * score * score;
  squared_noise += times * noise * noise;
}

void OffPolicySums::Merge(const OffPolicySums& other) {
  decisions += other.decisions;
  draws += other.draws;
  weights += other.weights;
  squared_weights += other.squared_weights;
  weighted += other.weighted;
  weighted_squares += other.weighted_squares;
  crossed += other.crossed;
  scores += other.scores;
  squared_scores += other.squared_scores;
  squared_noise += other.squared_noise;
}

OffPolicyEstimate Augmented(const OffPolicySums& s) {
  if (!(s.decisions > 0)) return {};
  return {s.scores / s.decisions,
          StandardError(s.decisions, s.scores, s.squared_scores)};
}

OffPolicyEstimate SelfNormalized(const OffPolicySums& s) {
  if (!(s.weights > 0)) return {};
  const double mean = s.weighted / s.weights;
  // Of w (r - mean), whose sum is 0.
  const double squares = s.weighted_squares - 2 * mean * s.crossed +
                         mean * mean * s.squared_weights;
  return {mean,
          s.draws < 2 ? 0 : std::sqrt(std::max(0.0, squares)) / s.weights};
}

double EffectiveSampleSize(const OffPolicySums& s) {
  return s.squared_weights > 0 ? s.weights * s.weights / s.squared_weights : 0;
}

double WeightDeviation(const OffPolicySums& s) {
  const double error = StandardError(s.decisions, s.weights, s.squared_weights);
  return error > 0 ? (s.weights / s.decisions - 1) / error : 0;
}

AnytimeEstimate DesignBasedValue(const OffPolicySums& sums,
                                 const DesignOptions& options) {
  const double value = Augmented(sums).value;
  if (sums.draws < options.burn_in) return {.estimate = value};
  return DesignBased(value, sums.decisions, sums.squared_noise, options);
}

AnytimeEstimate DesignBasedLift(const OffPolicySums& arm,
                                const OffPolicySums& control,
                                const DesignOptions& options) {
  const double lift = Augmented(arm).value - Augmented(control).value;
  if (std::min(arm.draws, control.draws) < options.burn_in) {
    return {.estimate = lift};
  }
  // No decision draws both, so the squares of the difference add up.
  return DesignBased(lift, arm.decisions,
                     arm.squared_noise + control.squared_noise, options);
}

void AdaptivelyWeighted::Add(double p, double score, double times) {
  const double h = std::sqrt(p);
  weights += times * h;
  squared_weights += times * p;
  scores += times * h * score;
  crossed += times * p * score;
  squared_scores += times * p * score * score;
}

OffPolicyEstimate AdaptivelyWeighted::Estimate() const {
  if (!(weights > 0)) return {};
  const double value = scores / weights;
  const double variance =
      squared_scores - 2 * value * crossed + value * value * squared_weights;
  return {value, std::sqrt(std::max(0.0, variance)) / weights};
}

}  // namespace bandit::stats
