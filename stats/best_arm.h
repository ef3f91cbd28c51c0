// SPDX-License-Identifier: Apache-2.0
// The probability that an arm is the best, given every arm's posterior.
//
// Thompson sampling plays an arm with exactly this probability, and reports
// show it. By quadrature, so that it is a propensity and not an estimate:
//
//   P(i best) = integral of f_i(t) prod_{j != i} F_j(t) dt
//
// The panels follow the posteriors: wherever an arm's density lives, a panel is
// at most about one of its standard deviations wide, however different the
// arms' scales are. The F_j are integrated along with the densities, so that no
// special function is needed and every F_j ends at 1. A Beta posterior is
// integrated over the logit, where its density is log-concave and smooth for
// all parameters.
#ifndef BANDIT_STATS_BEST_ARM_H_
#define BANDIT_STATS_BEST_ARM_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"

namespace bandit::stats {

// Beta(a, b). REQUIRES: 1e-6 <= a, b and a + b <= 1e16: beyond, the nodes run
// out of digits.
struct BetaPosterior {
  double a = 1;
  double b = 1;
};

// Normal. REQUIRES: finite, variance >= 0. A variance of 0 is a known value.
struct NormalPosterior {
  double mean = 0;
  double variance = 1;
};

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
