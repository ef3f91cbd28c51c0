// SPDX-License-Identifier: Apache-2.0
// The distribution functions that intervals and tests are made of.
//
// Boost.Math behind plain functions: its headers are compiled once, and it is
// told to return infinity or NaN where it would throw.
#ifndef BANDIT_STATS_DISTRIBUTIONS_H_
#define BANDIT_STATS_DISTRIBUTIONS_H_

namespace bandit::stats {

// P(Z <= x), Z standard normal. The upper tail is NormalCdf(-x): nothing is
// lost far out.
double NormalCdf(double x);
double NormalDensity(double x);
// The x with NormalCdf(x) = p; -infinity at 0, infinity at 1.
// REQUIRES: 0 <= p <= 1.
double NormalQuantile(double p);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_DISTRIBUTIONS_H_
