// SPDX-License-Identifier: Apache-2.0
// Gauss-Legendre quadrature: integrals of smooth functions, by panels.
//
// Deterministic and cheap where a Monte Carlo estimate would make two replicas
// or two reports disagree.
#ifndef BANDIT_STATS_GAUSS_LEGENDRE_H_
#define BANDIT_STATS_GAUSS_LEGENDRE_H_

#include <cstddef>
#include <vector>

namespace bandit::stats {

// The rule of one order on [-1, 1]: exact for polynomials of degree 2n - 1.
// Thread-safety: const calls may overlap.   Cost: O(n^3) to make.
class GaussLegendre {
 public:
  // REQUIRES: order >= 1.
  explicit GaussLegendre(size_t order);

  size_t order() const { return nodes_.size(); }
  // Ascending.
  const std::vector<double>& nodes() const { return nodes_; }
  const std::vector<double>& weights() const { return weights_; }

  // The weight of node `l` in the integral from -1 to node `k`, exact for
  // polynomials of degree n - 1: with it the values at the nodes give not only
  // the integral but its course over the panel.
  double partial_weight(size_t k, size_t l) const {
    return partial_[k * order() + l];
  }

  // Integral of f over [low, high], in one panel.
  template <typename Function>
  double Integrate(double low, double high, Function f) const {
    const double half = (high - low) / 2;
    const double middle = low + half;
    double sum = 0;
    for (size_t k = 0; k < order(); ++k) {
      sum += weights_[k] * f(middle + half * nodes_[k]);
    }
    return half * sum;
  }

 private:
  std::vector<double> nodes_;
  std::vector<double> weights_;
  std::vector<double> partial_;  // Row k: the integral up to node k.
};

}  // namespace bandit::stats

#endif  // BANDIT_STATS_GAUSS_LEGENDRE_H_
