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

// P(T <= t), Student's t. REQUIRES: dof > 0; infinity is the normal.
double StudentCdf(double t, double dof);
// REQUIRES: 0 <= p <= 1, dof > 0.
double StudentQuantile(double p, double dof);
// P(T <= t), the noncentral t. REQUIRES: dof > 0, finite noncentrality.
double NoncentralStudentCdf(double t, double dof, double noncentrality);

// P(X > x), chi-square. REQUIRES: x >= 0, dof > 0.
double ChiSquareUpper(double x, double dof);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_DISTRIBUTIONS_H_
