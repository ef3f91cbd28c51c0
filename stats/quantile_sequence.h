// SPDX-License-Identifier: Apache-2.0
// Confidence sequences for quantiles (latency), and their comparison between
// two arms, from histograms.
//
// Nothing is assumed of the distribution but that it stays what it is. What
// lies within a bucket is unknown, so an interval ends at a bucket's end, on
// the side that keeps the guarantee.
//
// Source: Howard and Ramdas, Sequential estimation of quantiles with
// applications to A/B testing and best-arm identification, Bernoulli 28
// (2022): the values below a quantile are Bernoulli trials (section 2), and the
// evidence of two arms adds up at every candidate (section 5).
#ifndef BANDIT_STATS_QUANTILE_SEQUENCE_H_
#define BANDIT_STATS_QUANTILE_SEQUENCE_H_

#include "absl/types/span.h"
#include "stats/asymptotic_sequence.h"
#include "stats/histogram.h"
#include "stats/interval.h"

namespace bandit::stats {

// How many of `n` values may be at or below the q-quantile before the evidence
// reaches 1 / alpha. [0, n] when every number is possible.
// REQUIRES: 0 < q < 1; options.planned counts values.
Interval QuantileRanks(double n, double q, const SequenceOptions& options);

// The q-quantile of what the cells (ascending, not overlapping) were drawn
// from. Unbounded on a side where there are too few values to tell, on both
// when there are none.
Interval QuantileSequence(absl::Span<const HistogramCell> cells, double q,
                          const SequenceOptions& options);

// ln of the evidence that the q-quantiles of two arms differ; PFromEvidence of
// it is the p-value of this look. `planned` counts values of one arm.
// Cost: O(cells of both).
double LogQuantileDifference(absl::Span<const HistogramCell> a,
                             absl::Span<const HistogramCell> b, double q,
                             const SequenceOptions& options);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_QUANTILE_SEQUENCE_H_
