// SPDX-License-Identifier: Apache-2.0
// The UCB1 index (Auer, Cesa-Bianchi and Fischer 2002, figure 1).
#ifndef BANDIT_POLICIES_UCB_INDEX_H_
#define BANDIT_POLICIES_UCB_INDEX_H_

#include <algorithm>
#include <cmath>
#include <limits>

namespace bandit::policies {

// mean + width sqrt(2 ln(total) / count): `count` decisions of this arm,
// `total` of all arms; `width` is 1 for rewards in an interval of length 1.
// Infinite for an arm without a decision.
inline double UcbIndex(double mean, double count, double total, double width) {
  if (!(count > 0)) return std::numeric_limits<double>::infinity();
  // Discounting can take `total` below 1.
  return mean + width * std::sqrt(2 * std::log(std::max(1.0, total)) / count);
}

}  // namespace bandit::policies

#endif  // BANDIT_POLICIES_UCB_INDEX_H_
