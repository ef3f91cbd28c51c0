// SPDX-License-Identifier: Apache-2.0
#include "stats/mixture.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numbers>

#include "stats/special.h"

namespace bandit::stats {

double BestRho(double v, double alpha) {
  assert(v > 0 && alpha > 0 && alpha < 1);
  const double twice = -2 * std::log(alpha);
  return v / (twice + std::log1p(twice));
}

double LogNormalMixture(double s, double v, double rho) {
  return 0.5 * (s * s / (v + rho) - std::log1p(v / rho));
}

double NormalRadius(double v, double rho, double alpha) {
  return std::sqrt((v + rho) * (std::log1p(v / rho) - 2 * std::log(alpha)));
}

double LogOneSidedNormalMixture(double s, double v, double rho) {
  return std::numbers::ln2 + LogNormalMixture(s, v, rho) +
         LogNormalCdf(s / std::sqrt(v + rho));
}

double OneSidedNormalRadius(double v, double rho, double alpha) {
  return std::sqrt(2 * (v + rho) *
                   std::log1p(std::sqrt((v + rho) / rho) / (2 * alpha)));
}

double OneSidedNormalLevel(double s, double v, double rho) {
  if (!(s > 0)) return 1;
  const double level =
      std::sqrt((v + rho) / rho) / (2 * std::expm1(s * s / (2 * (v + rho))));
  return std::min(level, 1.0);
}

double LogGammaPoissonMixture(double s, double v, double rho, double c) {
  const double prior = rho / (c * c);
  const double rate = (v + rho) / (c * c);
  const double shape = s / c + rate;
  // Nothing was bet on what lies so far below.
  if (!(shape > 0)) return -std::numeric_limits<double>::infinity();
  return prior * std::log(prior) - LogGamma(prior) -
         std::log(UpperGamma(prior, prior)) + LogGamma(shape) +
         std::log(UpperGamma(shape, rate)) - shape * std::log(rate) +
         v / (c * c);
}

double LogMean(double log_a, double log_b) {
  const double top = std::max(log_a, log_b);
  if (std::isinf(top)) return top;
  return top + std::log((std::exp(log_a - top) + std::exp(log_b - top)) / 2);
}

}  // namespace bandit::stats
