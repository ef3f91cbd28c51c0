// SPDX-License-Identifier: Apache-2.0
// Intervals, and what an anytime-valid method says of a number. (estimate.h is
// for one look.)
#ifndef BANDIT_STATS_INTERVAL_H_
#define BANDIT_STATS_INTERVAL_H_

#include <algorithm>
#include <cmath>
#include <limits>

namespace bandit::stats {

// Closed. Unbounded where the data say nothing yet.
struct Interval {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();

  bool Contains(double x) const { return low <= x && x <= high; }
  double width() const { return high - low; }
};

// An estimate with an interval that holds at every look at once: the chance
// that it ever leaves the truth out is at most alpha.
//
// `p` tests that the truth is 0, at this look. The least p over all looks so
// far is still valid: P(it is ever <= a) <= a.
struct AnytimeEstimate {
  double estimate = 0;
  Interval interval;
  double p = 1;
};

// The p-value of evidence (an e-value, by its logarithm): 1 / e, kept within
// [1e-300, 1] so that its logarithm stays finite.
inline double PFromEvidence(double log_evidence) {
  return std::clamp(std::exp(-log_evidence), 1e-300, 1.0);
}

}  // namespace bandit::stats

#endif  // BANDIT_STATS_INTERVAL_H_
