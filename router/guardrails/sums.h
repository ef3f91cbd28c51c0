// SPDX-License-Identifier: Apache-2.0
// What was observed of an arm, as far as one rule needs it: sums, so that the
// time since a moment is a difference.
#ifndef BANDIT_ROUTER_GUARDRAILS_SUMS_H_
#define BANDIT_ROUTER_GUARDRAILS_SUMS_H_

#include <vector>

#include "stats/histogram.h"

namespace bandit::guardrails {

// Counts on a grid of 16 cells an octave, each at most 1/16 of its lower bound
// wide. The histogram's cells nest in them.
class CoarseHistogram {
 public:
  // REQUIRES: `cells` are those of a LogLinearHistogram.
  void Add(const std::vector<stats::HistogramCell>& cells);
  // Those that are not empty, ascending.
  std::vector<stats::HistogramCell> Cells() const;
  CoarseHistogram& operator+=(const CoarseHistogram& other);
  CoarseHistogram& operator-=(const CoarseHistogram& other);

  // From the first cell on; for the state store.
  const std::vector<double>& counts() const { return counts_; }
  void set_counts(std::vector<double> counts) { counts_ = std::move(counts); }

 private:
  std::vector<double> counts_;
};

struct Sums {
  double count = 0;
  // Of value - origin; the origin is the same in all sums of one rule. A value
  // is 0 or 1 for a rate.
  double sum = 0;
  double squares = 0;
  double origin = 0;
  // Of kQuantile only.
  CoarseHistogram histogram;

  Sums& operator+=(const Sums& other);
  Sums& operator-=(const Sums& other);
  friend Sums operator+(Sums a, const Sums& b) { return a += b; }
  friend Sums operator-(Sums a, const Sums& b) { return a -= b; }
};

}  // namespace bandit::guardrails

#endif  // BANDIT_ROUTER_GUARDRAILS_SUMS_H_
