// SPDX-License-Identifier: Apache-2.0
#include "stats/distributions.h"

#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <numbers>

namespace bandit::stats {
namespace {

namespace policies = boost::math::policies;

constexpr policies::policy<policies::promote_double<false>,
                           policies::overflow_error<policies::ignore_error>>
    kPolicy;

}  // namespace

double NormalCdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double NormalDensity(double x) {
  return std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi);
}

double NormalQuantile(double p) {
  return -std::numbers::sqrt2 * boost::math::erfc_inv(2 * p, kPolicy);
}

}  // namespace bandit::stats
