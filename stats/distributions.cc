// SPDX-License-Identifier: Apache-2.0
#include "stats/distributions.h"

#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <cassert>
#include <cmath>
#include <limits>
#include <numbers>

namespace bandit::stats {
namespace {

namespace policies = boost::math::policies;

// Our code throws nothing, and double is enough.
using Quiet =
    policies::policy<policies::promote_double<false>,
                     policies::domain_error<policies::ignore_error>,
                     policies::pole_error<policies::ignore_error>,
                     policies::overflow_error<policies::ignore_error>,
                     policies::rounding_error<policies::ignore_error>,
                     policies::evaluation_error<policies::ignore_error>>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

double NormalCdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double NormalDensity(double x) {
  return std::exp(-0.5 * x * x) * std::numbers::inv_sqrtpi /
         std::numbers::sqrt2;
}

double NormalQuantile(double p) {
  assert(p >= 0 && p <= 1);
  if (p <= 0) return -kInfinity;
  if (p >= 1) return kInfinity;
  return -std::numbers::sqrt2 * boost::math::erfc_inv(2 * p, Quiet());
}

double StudentCdf(double t, double dof) {
  assert(dof > 0);
  if (std::isinf(t)) return t > 0 ? 1 : 0;
  if (std::isinf(dof)) return NormalCdf(t);
  return cdf(boost::math::students_t_distribution<double, Quiet>(dof), t);
}

double StudentQuantile(double p, double dof) {
  assert(p >= 0 && p <= 1 && dof > 0);
  if (p <= 0) return -kInfinity;
  if (p >= 1) return kInfinity;
  if (std::isinf(dof)) return NormalQuantile(p);
  return quantile(boost::math::students_t_distribution<double, Quiet>(dof), p);
}

double NoncentralStudentCdf(double t, double dof, double noncentrality) {
  assert(dof > 0 && std::isfinite(noncentrality));
  return cdf(boost::math::non_central_t_distribution<double, Quiet>(
                 dof, noncentrality),
             t);
}

double ChiSquareUpper(double x, double dof) {
  assert(x >= 0 && dof > 0);
  if (std::isinf(x)) return 0;
  return cdf(
      complement(boost::math::chi_squared_distribution<double, Quiet>(dof), x));
}

}  // namespace bandit::stats
