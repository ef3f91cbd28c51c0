// SPDX-License-Identifier: Apache-2.0
#include "stats/special.h"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/special_functions/trigamma.hpp>
#include <numbers>

#include "stats/distributions.h"

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

// Below this the logarithm is taken another way.
constexpr double kTiny = 1e-280;

// P(X <= x) for X ~ Beta(a, b), over x^a (1 - x)^b / (a B(a, b)): a continued
// fraction (Abramowitz and Stegun 26.5.8) by Lentz's method, for x well below
// the mean, where it takes a few steps.
double BetaTailFactor(double a, double b, double x) {
  constexpr double kLeast = 1e-300;
  double c = 1;
  double d = 1 - (a + b) * x / (a + 1);
  d = 1 / (std::abs(d) < kLeast ? kLeast : d);
  double factor = d;
  for (int m = 1; m < 1000; ++m) {
    const double odd = a + 2 * m;
    double before = factor;
    for (const double term : {m * (b - m) * x / ((odd - 1) * odd),
                              -(a + m) * (a + b + m) * x / (odd * (odd + 1))}) {
      d = 1 + term * d;
      d = 1 / (std::abs(d) < kLeast ? kLeast : d);
      c = 1 + term / c;
      if (std::abs(c) < kLeast) c = kLeast;
      factor *= c * d;
    }
    if (std::abs(factor - before) < 1e-14 * std::abs(factor)) break;
  }
  return factor;
}

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

double LogUpperBeta(double a, double b, double x) {
  const double p = UpperBeta(a, b, x);
  if (p > kTiny || x >= 1) return std::log(p);
  return a * std::log(x) + b * std::log1p(-x) - std::log(b) - LogBeta(a, b) +
         std::log(BetaTailFactor(b, a, 1 - x));
}

double BetaQuantile(double a, double b, double p) {
  return math::ibeta_inv(a, b, p, kPolicy);
}

double LogNormalCdf(double x) {
  const double p = NormalCdf(x);
  if (p > kTiny) return std::log(p);
  // Mills' ratio; the next term is below 1e-8 out there.
  const double y = 1 / (x * x);
  return -0.5 * x * x - std::log(-x) - 0.5 * std::log(2 * std::numbers::pi) +
         std::log1p(-y + 3 * y * y);
}

}  // namespace bandit::stats
