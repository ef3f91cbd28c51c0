// SPDX-License-Identifier: Apache-2.0
// Is an arm worse than the control arm? One-sided evidence, for guardrails: on
// a rate (errors) and on a quantile (latency).
//
// Exact at every sample size and look, under any assignment that does not see
// the outcome first. Whatever the truth, some value lies between the two arms'
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

}  // namespace bandit::stats

#endif  // BANDIT_STATS_EXCESS_H_
