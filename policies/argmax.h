// SPDX-License-Identifier: Apache-2.0
// The greedy choice as a distribution: the best arms share.
#ifndef BANDIT_POLICIES_ARGMAX_H_
#define BANDIT_POLICIES_ARGMAX_H_

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/types/span.h"
#include "policies/policy.h"

namespace bandit::policies {

// Scores this close, relative to the best one, are ties: the same rewards
// summed in another order must not decide.
inline constexpr double kTie = 1e-13;

// w = 1 for every eligible arm whose score ties with the largest eligible one,
// else 0. Infinite scores are allowed; NaN never wins.
inline void ShareMaximum(absl::Span<const double> scores, ArmSet eligible,
                         absl::Span<double> w) {
  // Not from 0 and not from the smallest positive number: rewards may be
  // negative.
  double best = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < scores.size(); ++i) {
    if (Contains(eligible, i)) best = std::max(best, scores[i]);
  }
  const double least =
      std::isfinite(best) ? best - kTie * std::abs(best) : best;
  for (size_t i = 0; i < scores.size(); ++i) {
    w[i] = Contains(eligible, i) && scores[i] >= least ? 1 : 0;
  }
}

}  // namespace bandit::policies

#endif  // BANDIT_POLICIES_ARGMAX_H_
