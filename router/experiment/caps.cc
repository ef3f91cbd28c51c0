// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/caps.h"

#include <algorithm>
#include <cassert>
#include <cstddef>

namespace bandit::experiment {

void ApplyCaps(const Eligible& eligible, absl::Span<double> p) {
  const absl::Span<const double> caps = eligible.caps;
  if (caps.empty()) return;
  assert(caps.size() == p.size());
  double free_sum = 0;
  size_t free_arms = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    if (!policies::Contains(eligible.arms, i) || caps[i] < 1) continue;
    free_sum += p[i];
    ++free_arms;
  }
  if (free_arms == 0) return;
  double excess = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    if (caps[i] >= 1) continue;
    excess += std::max(0.0, p[i] - caps[i]);
    p[i] = std::min(p[i], caps[i]);
  }
  if (!(excess > 0)) return;
  for (size_t i = 0; i < p.size(); ++i) {
    if (!policies::Contains(eligible.arms, i) || caps[i] < 1) continue;
    p[i] += excess * (free_sum > 0 ? p[i] / free_sum
                                   : 1 / static_cast<double>(free_arms));
  }
}

}  // namespace bandit::experiment
