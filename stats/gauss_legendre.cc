// SPDX-License-Identifier: Apache-2.0
#include "stats/gauss_legendre.h"

#include <cassert>
#include <cmath>
#include <numbers>

namespace bandit::stats {
namespace {

// P_0(x) .. P_degree(x), by Bonnet's recursion.
std::vector<double> Legendre(size_t degree, double x) {
  std::vector<double> p(degree + 1, 1);
  if (degree > 0) p[1] = x;
  for (size_t m = 1; m < degree; ++m) {
    const double a = static_cast<double>(m);
    p[m + 1] = ((2 * a + 1) * x * p[m] - a * p[m - 1]) / (a + 1);
  }
  return p;
}

}  // namespace

GaussLegendre::GaussLegendre(size_t order)
    : nodes_(order), weights_(order), partial_(order * order) {
  assert(order >= 1);
  const double n = static_cast<double>(order);
  std::vector<std::vector<double>> legendre(order);
  for (size_t k = 0; k < order; ++k) {
    // Newton from Tricomi's approximation of the root.
    double x = -std::cos(std::numbers::pi * (static_cast<double>(k) + 0.75) /
                         (n + 0.5));
    double slope = 1;
    for (int i = 0; i < 8; ++i) {
      const std::vector<double> p = Legendre(order, x);
      slope = n * (p[order - 1] - x * p[order]) / (1 - x * x);
      x -= p[order] / slope;
    }
    nodes_[k] = x;
    weights_[k] = 2 / ((1 - x * x) * slope * slope);
    legendre[k] = Legendre(order, x);
  }
  // The interpolating polynomial in Legendre's basis, integrated term by term:
  // (2m + 1) times the integral of P_m is P_{m+1} - P_{m-1}.
  for (size_t k = 0; k < order; ++k) {
    for (size_t l = 0; l < order; ++l) {
      double sum = nodes_[k] + 1;
      for (size_t m = 1; m < order; ++m) {
        sum += legendre[l][m] * (legendre[k][m + 1] - legendre[k][m - 1]);
      }
      partial_[k * order + l] = weights_[l] / 2 * sum;
    }
  }
}

}  // namespace bandit::stats
