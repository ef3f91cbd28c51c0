// SPDX-License-Identifier: Apache-2.0
// Special functions and root finding, as this room uses them: in double, from
// any thread, nothing thrown (Boost.Math throws unless told). Those of tests
// and intervals are in distributions.h.
#ifndef BANDIT_STATS_SPECIAL_H_
#define BANDIT_STATS_SPECIAL_H_

#include <cmath>

namespace bandit::stats {

// ln Gamma(x), x > 0. Not std::lgamma, which writes a global.
double LogGamma(double x);

// ln B(a, b), a and b > 0.
double LogBeta(double a, double b);

// Psi'(x), x > 0.
double Trigamma(double x);

// Gamma(a, x) / Gamma(a): the upper tail of a gamma variate of shape a > 0.
double UpperGamma(double a, double x);

// P(X > x) for X ~ Beta(a, b); x outside [0, 1] is clamped.
double UpperBeta(double a, double b, double x);
// ln P(X > x), which keeps its digits where P itself is no number any more.
double LogUpperBeta(double a, double b, double x);
// The x with P(X <= x) = p, p in [0, 1].
double BetaQuantile(double a, double b, double p);

// ln P(Z <= x), Z standard normal, for any x.
double LogNormalCdf(double x);

// The point between `inside` and `outside` where the predicate turns false,
// rounded towards `outside`, to the last digits. `inside` is not evaluated.
// Cost: at most 100 evaluations.
template <typename Predicate>
double Boundary(double inside, double outside, Predicate holds) {
  if (holds(outside)) return outside;
  for (int i = 0; i < 100; ++i) {
    const double middle = inside + (outside - inside) / 2;
    if (middle == inside || middle == outside ||
        std::abs(outside - inside) <= 1e-14 * std::abs(middle)) {
      break;
    }
    (holds(middle) ? inside : outside) = middle;
  }
  return outside;
}

}  // namespace bandit::stats

#endif  // BANDIT_STATS_SPECIAL_H_
