// SPDX-License-Identifier: Apache-2.0
// Does the effect differ between segments of the units, and where is it?
//
// First one test of whether it differs at all, then segment by segment, with
// p-values adjusted for their number. Segments must be declared beforehand and
// not depend on the arm.
#ifndef BANDIT_STATS_SEGMENTS_H_
#define BANDIT_STATS_SEGMENTS_H_

#include <vector>

#include "absl/types/span.h"
#include "stats/comparison.h"
#include "stats/estimate.h"

namespace bandit::stats {

// An effect of independent units with its standard error.
struct Effect {
  double value = 0;
  double standard_error = 0;
};

struct Heterogeneity {
  Validity validity = Validity::kTooFew;
  // The effects that took part.
  double count = 0;
  // Their mean with weights 1 / standard_error^2, and its standard error.
  double pooled = 0;
  double pooled_error = 0;
  // Cochran's Q, chi-square with count - 1 degrees of freedom if the effects
  // are all the same, and its p-value.
  double q = 0;
  double p = 1;
  // Higgins' I^2: the share of the spread that is not chance, in [0, 1].
  double i_squared = 0;
};

// Cochran (1954); Higgins, Thompson (2002). Effects that are not finite, or
// whose standard error is not above 0, are left out; kTooFew (p = 1) with fewer
// than two left, the pooled effect being that of the one.
Heterogeneity TestHeterogeneity(absl::Span<const Effect> effects);

// Fewer units than these in an arm, and a segment's test would be noise.
inline constexpr double kFewestSegmentUnits = 100;

struct SegmentEffect {
  // kTooFew below kFewestSegmentUnits: counts are shown, no test.
  Estimate difference;
  // Benjamini-Hochberg over the segments that are tested; 1 for the others.
  double adjusted_p = 1;
};

struct SegmentReport {
  // One for each pair, in order.
  std::vector<SegmentEffect> segments;
  Heterogeneity heterogeneity;
};

SegmentReport CompareSegments(absl::Span<const MeanPair> segments,
                              const TestPlan& plan,
                              double fewest_units = kFewestSegmentUnits);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_SEGMENTS_H_
