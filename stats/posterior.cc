// SPDX-License-Identifier: Apache-2.0
#include "stats/posterior.h"

#include <algorithm>
#include <cmath>

#include "stats/distributions.h"
#include "stats/special.h"

namespace bandit::stats {

double Mean(const BetaPosterior& posterior) {
  return posterior.a / (posterior.a + posterior.b);
}

double Mean(const NormalPosterior& posterior) { return posterior.mean; }

Interval CredibleInterval(const BetaPosterior& posterior, double mass) {
  const double tail = (1 - mass) / 2;
  return {BetaQuantile(posterior.a, posterior.b, tail),
          // From the other end: 1 - tail has lost digits.
          1 - BetaQuantile(posterior.b, posterior.a, tail)};
}

Interval CredibleInterval(const NormalPosterior& posterior, double mass) {
  const double half =
      -NormalQuantile((1 - mass) / 2) * std::sqrt(posterior.variance);
  return {posterior.mean - half, posterior.mean + half};
}

NormalPosterior UpdateNormal(const NormalPosterior& prior, double estimate,
                             double standard_error) {
  const double error = standard_error > 0 ? standard_error * standard_error : 0;
  if (std::isinf(prior.variance)) return {estimate, error};
  const double sum = prior.variance + error;
  if (!(sum > 0)) return {estimate, 0};
  const double data = prior.variance / sum;
  return {data * estimate + (1 - data) * prior.mean, data * error};
}

LiftVerdict JudgeLift(const NormalPosterior& lift) {
  const double mean = lift.mean;
  const double deviation = std::sqrt(lift.variance);
  if (!(deviation > 0)) {
    return {.probability_better = mean == 0 ? 0.5 : (mean > 0 ? 1.0 : 0.0),
            .loss_treatment = std::max(0.0, -mean),
            .loss_control = std::max(0.0, mean)};
  }
  const double z = mean / deviation;
  const double better = NormalCdf(z);
  const double density = deviation * NormalDensity(z);
  // Not below 0 by rounding, far out.
  return {.probability_better = better,
          .loss_treatment = std::max(0.0, density - mean * NormalCdf(-z)),
          .loss_control = std::max(0.0, density + mean * better)};
}

}  // namespace bandit::stats
