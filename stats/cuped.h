// SPDX-License-Identifier: Apache-2.0
// CUPED: a metric freed of what was known of the unit before the experiment.
//
// Deng, Xu, Kohavi, Walker (WSDM 2013). If the covariate x correlates by rho
// with the metric y the variance shrinks by 1 - rho^2, and the experiment with
// it. The covariate must date from before the assignment: one that the arm can
// change takes part of the effect away.
#ifndef BANDIT_STATS_CUPED_H_
#define BANDIT_STATS_CUPED_H_

#include <vector>

#include "absl/types/span.h"
#include "stats/clusters.h"
#include "stats/comparison.h"
#include "stats/estimate.h"
#include "stats/moments.h"

namespace bandit::stats {

// x the covariate, y the metric, in all that follows.

// Cov(x, y) / Var(x) over all arms as one sample; 0, no adjustment, if the
// covariate does not vary or a sum has overflown.
double CupedTheta(absl::Span<const CrossMoments> arms);

// The mean of y - theta (x - center) of independent units. With the mean of the
// covariate over all arms as center the adjusted means stay on the metric's
// scale. Any fixed theta gives a right interval, the one above the shortest.
MeanEstimate CupedMean(const CrossMoments& arm, double theta, double center);

struct CupedComparison {
  double theta = 0;
  // The adjusted means.
  MeanPair means;
  Estimate difference;
  // Relative to the control's mean as it is, not as adjusted: that is what the
  // lift is told of. Delta method over (mean x, mean y) of both arms.
  // kZeroBaseline if that mean is less than kStrongBaseline errors from 0.
  Estimate lift;
  // How much smaller the variance of the difference is than without a
  // covariate, as a fraction; may be slightly negative for a useless one. 0 if
  // the difference is not valid.
  double variance_reduction = 0;
};

// For independent units; theta from CupedTheta.
CupedComparison CompareCuped(const CrossMoments& control,
                             const CrossMoments& treatment, double theta,
                             const TestPlan& plan);

// Bucket sums of y - theta (x - center) from those of y and of x, for units
// that have many values (see clusters.h). Sums are about 0.
// REQUIRES: the same buckets, with the same counts.
std::vector<BucketSums> AdjustBuckets(absl::Span<const BucketSums> metric,
                                      absl::Span<const BucketSums> covariate,
                                      double theta, double center);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_CUPED_H_
