// SPDX-License-Identifier: Apache-2.0
// What is lost on average by settling for an arm, given every arm's posterior:
//
//   loss_i = E[max_j X_j - X_i] = integral of F_i (1 - prod_{j != i} F_j) dx
//
// By quadrature on the grid of posterior_grid.h, so two reports of the same
// data agree to the last digit shown. No term is negative, so a loss that is
// tiny beside the means keeps its digits, down to 1e-16 of the spread.
#ifndef BANDIT_STATS_EXPECTED_LOSS_H_
#define BANDIT_STATS_EXPECTED_LOSS_H_

#include <vector>

#include "absl/types/span.h"
#include "stats/posterior.h"

namespace bandit::stats {

// One for each arm, in the reward's units, >= 0. E[max] is any arm's mean plus
// its loss. Absolute error at most 1e-10 of the posteriors' spread,
// 1e-9 where values are known.
// Determinism: a pure function.   Cost: as ProbabilityBest's.
std::vector<double> ExpectedLoss(absl::Span<const BetaPosterior> arms);
std::vector<double> ExpectedLoss(absl::Span<const NormalPosterior> arms);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_EXPECTED_LOSS_H_
