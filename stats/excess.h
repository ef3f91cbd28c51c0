// SPDX-License-Identifier: Apache-2.0
// Is an arm worse than the control arm, or than a limit? One-sided evidence,
// for guardrails: on a rate (errors), a quantile (latency), and a mean.
//
// Holds at every look, under any assignment that does not see the outcome
// first, a bandit's included, while the arm itself stays what it is. Rates and
// quantiles exactly, at every sample size; means asymptotically, after a
// burn-in. Against a limit it is the arm's own martingale. Against the control:
// whatever the truth, some value lies between the two arms'
// if the hypothesis "not worse" holds, and the product of both arms' evidence
// against that value is an e-value; so the least product over all values is
// one too. (Howard and Ramdas, see quantile_sequence.h, section 5, one-sided.)
//
// PFromEvidence gives the p-value of a look; an alarm at evidence above
// ln(1 / alpha) is false with probability alpha at most, ever.
#ifndef BANDIT_STATS_EXCESS_H_
#define BANDIT_STATS_EXCESS_H_

#include "absl/types/span.h"
#include "stats/asymptotic_sequence.h"
#include "stats/histogram.h"
#include "stats/moments.h"
#include "stats/proportions.h"

namespace bandit::stats {

// ln of the evidence that the arm's rate (of errors, say: a success is what is
// counted) is above the control's by more than `margin` (in [0, 1), a
// difference of rates). Never above 0 by more than rounding without trials on
// either side. `planned` counts trials of one arm.   Cost: some 0.2 ms.
double LogRateExcess(const Successes& arm, const Successes& control,
                     double margin, const SequenceOptions& options);

// ln of the evidence that the arm's q-quantile is above `ratio` times the
// control's. Cells as in QuantileSequence, with values that are not negative.
// REQUIRES: 0 < q < 1, ratio > 0.   Cost: O(cells of both), some 1 us a cell.
double LogQuantileExcess(absl::Span<const HistogramCell> arm,
                         absl::Span<const HistogramCell> control, double q,
                         double ratio, const SequenceOptions& options);

// ln of the evidence that the q-quantile is above `limit`, for "p99 below 250".
// What lies in the limit's own cell counts for the hypothesis. For a rate
// against a limit see LogBernoulliExcess. REQUIRES: 0 < q < 1.
double LogQuantileAbove(absl::Span<const HistogramCell> arm, double q,
                        double limit, const SequenceOptions& options);

// A mean and how well it is known. `n` grows with the data: observations, also
// where the error is one across buckets of units (clusters.h).
struct ObservedMean {
  double mean = 0;
  double standard_error = 0;
  double n = 0;
};

// For independent observations.
ObservedMean Observed(const Moments& moments);

// Observations of each arm before its mean is believed to be normal. Of rare
// events a hundred would be wanted, but those have a rate.
inline constexpr double kMeanBurnIn = 100;

// ln of the evidence that the mean is above `limit`. (For "below" negate the
// moments and the limit.) 0 before the burn-in, and while the error is not a
// number above 0.
double LogMeanAbove(const ObservedMean& arm, double limit,
                    const SequenceOptions& options,
                    double burn_in = kMeanBurnIn);

// ln of the evidence that the arm's mean is above the control's by more than
// `margin`, in the metric's unit, of any sign. 0 unless both arms are past the
// burn-in. `planned` counts observations of one arm.   Cost: some 20 us.
double LogMeanExcess(const ObservedMean& arm, const ObservedMean& control,
                     double margin, const SequenceOptions& options,
                     double burn_in = kMeanBurnIn);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_EXCESS_H_
