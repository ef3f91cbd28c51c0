// SPDX-License-Identifier: Apache-2.0
// The probability that an arm is the best, given every arm's posterior.
//
// Thompson sampling plays an arm with exactly this probability, and reports
// show it. By quadrature, so that it is a propensity and not an estimate:
//
//   P(i best) = integral of f_i(t) prod_{j != i} F_j(t) dt
//
// on the grid of posterior_grid.h. (See expected_loss.h for what a wrong choice
// would cost.)
#ifndef BANDIT_STATS_BEST_ARM_H_
#define BANDIT_STATS_BEST_ARM_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "stats/posterior.h"

namespace bandit::stats {

// P(arm is the largest), one for each arm; the sum is 1 within rounding. Equal
// known values share. Absolute error at most 1e-10 for up to 64 arms.
// Determinism: a pure function.   Cost: O(panels * arms^2), panels between 20
// and 20 per arm.
std::vector<double> ProbabilityBest(absl::Span<const BetaPosterior> arms);
std::vector<double> ProbabilityBest(absl::Span<const NormalPosterior> arms);

// Who is best when the likeliest best are taken away, one after the other.
//
// With it a caller that must leave arms out needs no further quadrature, and
// never has to divide by a probability that has underflowed.
struct BestArmRanking {
  // order[0] is the likeliest best of all arms, order[1] of all but order[0],
  // and so on; of equals the first.
  std::vector<size_t> order;
  // Row k, one entry an arm: P(best) among order[k ..], 0 for order[.. k).
  std::vector<double> probability;

  absl::Span<const double> row(size_t k) const {
    return absl::MakeConstSpan(probability)
        .subspan(k * order.size(), order.size());
  }
};

// Row 0 is ProbabilityBest.   Cost: O(panels * arms^3).
BestArmRanking RankBestArms(absl::Span<const BetaPosterior> arms);
BestArmRanking RankBestArms(absl::Span<const NormalPosterior> arms);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_BEST_ARM_H_
