// SPDX-License-Identifier: Apache-2.0
#include "stats/asymptotic_sequence.h"

#include <cmath>

#include "stats/mixture.h"

namespace bandit::stats {
namespace {

bool HasResult(double standard_error, double n) {
  return n > 0 && standard_error > 0 && std::isfinite(standard_error);
}

// The sum of n standardized observations, were they exactly normal.
double StandardizedSum(double estimate, double standard_error, double n) {
  return estimate / standard_error * std::sqrt(n);
}

}  // namespace

double AsymptoticMultiplier(double n, const SequenceOptions& options) {
  const double rho = BestRho(options.planned, options.alpha);
  return NormalRadius(n, rho, options.alpha) / std::sqrt(n);
}

AnytimeEstimate AsymptoticSequence(double estimate, double standard_error,
                                   double n, const SequenceOptions& options) {
  AnytimeEstimate result{.estimate = estimate};
  if (!HasResult(standard_error, n)) return result;
  const double half = standard_error * AsymptoticMultiplier(n, options);
  result.interval = {estimate - half, estimate + half};
  result.p = PFromEvidence(
      LogNormalMixture(StandardizedSum(estimate, standard_error, n), n,
                       BestRho(options.planned, options.alpha)));
  return result;
}

AnytimeEstimate AsymptoticLowerSequence(double estimate, double standard_error,
                                        double n,
                                        const SequenceOptions& options) {
  AnytimeEstimate result{.estimate = estimate};
  if (!HasResult(standard_error, n)) return result;
  const double rho = BestRho(options.planned, 2 * options.alpha);
  result.interval.low =
      estimate - standard_error * OneSidedNormalRadius(n, rho, options.alpha) /
                     std::sqrt(n);
  result.p =
      OneSidedNormalLevel(StandardizedSum(estimate, standard_error, n), n, rho);
  return result;
}

}  // namespace bandit::stats
