// SPDX-License-Identifier: Apache-2.0
// Means whose unit of analysis is not the unit that was assigned: ratios, and
// variances that respect the unit through hash buckets.
//
// Many requests of one user are not as many independent observations. Treating
// them so makes intervals too short, and a test that cries wolf.
#ifndef BANDIT_STATS_CLUSTERS_H_
#define BANDIT_STATS_CLUSTERS_H_

#include "absl/types/span.h"
#include "stats/comparison.h"
#include "stats/estimate.h"
#include "stats/moments.h"

namespace bandit::stats {

// The ratio of two sums, sum x / sum y (clicks per request, say), over
// independent units that have both: x the unit's numerator, y its denominator.
//
// Delta method: with R = mean x / mean y, the variance of R is
// (v_x + R^2 v_y - 2 R c_xy) / mean y^2 / n. Deng, Knoblich, Lu (KDD 2018), eq.
// 3. kZeroBaseline if mean y is 0; kNoVariance if all units have one ratio.
MeanEstimate RatioOf(const CrossMoments& units);

// The sums of the units that hash into one bucket.
struct BucketSums {
  // Requests (or whatever a value belongs to).
  double count = 0;
  // Of their values, about the origin given beside.
  double sum = 0;
};

// The mean of all values, with a variance that takes a bucket for one
// observation: M / (M - 1) sum_b (s_b - mean n_b)^2 / (sum n)^2 over the M
// buckets that have values, M - 1 degrees of freedom. Since a unit is wholly in
// one bucket the values of a unit may depend on each other as they like. Memory
// is that of the buckets, whatever the number of units; 64 are enough to widen
// the interval by no more than 2 %. Chamandy et al., "Estimating uncertainty
// for massive data streams" (2012); Deng et al. (2018).
// kTooFew with fewer than two buckets that have values.
MeanEstimate MeanOfBuckets(absl::Span<const BucketSums> buckets,
                           double origin = 0);

// Two arms by the same buckets. The covariance of their means comes from the
// buckets too: the comparison stays right when a unit can meet both arms, as
// it does without sticky assignment.
// REQUIRES: as many buckets in both.
MeanPair PairOfBuckets(absl::Span<const BucketSums> control,
                       absl::Span<const BucketSums> treatment,
                       double origin = 0);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_CLUSTERS_H_
