// SPDX-License-Identifier: Apache-2.0
#include "stats/multiple_testing.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace bandit::stats {
namespace {

double Sound(double p) { return p >= 0 && p <= 1 ? p : 1; }

// The tests from the smallest p to the largest.
std::vector<size_t> Order(absl::Span<const double> p) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return Sound(p[a]) < Sound(p[b]);
  });
  return order;
}

// From the largest down: penalty n p / rank, never above the one before.
std::vector<double> StepUp(absl::Span<const double> p, double penalty) {
  std::vector<double> adjusted(p.size());
  const std::vector<size_t> order = Order(p);
  double least = 1;
  for (size_t rank = order.size(); rank > 0; --rank) {
    const size_t i = order[rank - 1];
    least = std::min(least, penalty * static_cast<double>(p.size()) /
                                static_cast<double>(rank) * Sound(p[i]));
    adjusted[i] = least;
  }
  return adjusted;
}

}  // namespace

std::vector<double> Bonferroni(absl::Span<const double> p) {
  std::vector<double> adjusted;
  for (double value : p) {
    adjusted.push_back(
        std::min(1.0, static_cast<double>(p.size()) * Sound(value)));
  }
  return adjusted;
}

std::vector<double> Holm(absl::Span<const double> p) {
  std::vector<double> adjusted(p.size());
  double most = 0;
  size_t left = p.size();
  for (size_t i : Order(p)) {
    most =
        std::max(most, std::min(1.0, static_cast<double>(left) * Sound(p[i])));
    adjusted[i] = most;
    --left;
  }
  return adjusted;
}

std::vector<double> BenjaminiHochberg(absl::Span<const double> p) {
  return StepUp(p, 1);
}

std::vector<double> BenjaminiYekutieli(absl::Span<const double> p) {
  double harmonic = 0;
  for (size_t i = p.size(); i > 0; --i) harmonic += 1 / static_cast<double>(i);
  return StepUp(p, harmonic);
}

}  // namespace bandit::stats
