// SPDX-License-Identifier: Apache-2.0
#include "stats/special.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/special_functions/trigamma.hpp>
#include <numbers>

namespace bandit::stats {
namespace {

namespace math = boost::math;
namespace policies = boost::math::policies;

using Policy =
    policies::policy<policies::promote_double<false>,
                     policies::domain_error<policies::ignore_error>,
                     policies::pole_error<policies::ignore_error>,
                     policies::overflow_error<policies::ignore_error>,
                     policies::evaluation_error<policies::ignore_error>>;
constexpr Policy kPolicy;

}  // namespace

double LogGamma(double x) { return math::lgamma(x, kPolicy); }

double LogBeta(double a, double b) {
  return LogGamma(a) + LogGamma(b) - LogGamma(a + b);
}

double Trigamma(double x) { return math::trigamma(x, kPolicy); }

double UpperGamma(double a, double x) { return math::gamma_q(a, x, kPolicy); }

double UpperBeta(double a, double b, double x) {
  return math::ibetac(a, b, std::clamp(x, 0.0, 1.0), kPolicy);
}

double LowerBeta(double a, double b, double x) {
  return math::ibeta(a, b, std::clamp(x, 0.0, 1.0), kPolicy);
}

double BetaQuantile(double a, double b, double p) {
  return math::ibeta_inv(a, b, p, kPolicy);
}

double NormalCdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double NormalDensity(double x) {
  return std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi);
}

double NormalQuantile(double p) {
  return math::quantile(math::normal_distribution<double, Policy>(), p);
}

}  // namespace bandit::stats
