// SPDX-License-Identifier: Apache-2.0
// Asymptotic confidence sequences: the anytime-valid counterpart of "estimate
// +- 1.96 standard errors", for whatever has a standard error (means, lifts,
// ratios, CUPED).
//
// Comparisons are valid for traffic split at fixed shares; a bandit's own
// choices need excess.h or off_policy_sequence.h. Asymptotic: like the central
// limit theorem it wants some data first, say 100 conversions an arm.
//
// Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central
// limit theory and asymptotic confidence sequences, arXiv:2103.06476, theorem
// 2.2; rho as by GrowthBook (the paper's without a term of order alpha^2).
#ifndef BANDIT_STATS_ASYMPTOTIC_SEQUENCE_H_
#define BANDIT_STATS_ASYMPTOTIC_SEQUENCE_H_

#include "stats/interval.h"

namespace bandit::stats {

struct SequenceOptions {
  // In (0, 1/2).
  double alpha = 0.05;
  // Observations (both arms together, for a comparison) at which the interval
  // is to be tightest. To be fixed before the first look.
  double planned = 5000;
};

// Two-sided. `n` observations are behind the estimate. No observation, or a
// standard error that is not above 0, is no result: unbounded, p = 1.
AnytimeEstimate AsymptoticSequence(double estimate, double standard_error,
                                   double n, const SequenceOptions& options);

// One-sided, for "is it above 0": bounded below only, tighter there. For "is it
// below" negate the estimate.
AnytimeEstimate AsymptoticLowerSequence(double estimate, double standard_error,
                                        double n,
                                        const SequenceOptions& options);

// Half width in standard errors: what 1.96 is to a single look. For planning:
// a power computed with it holds at every look. REQUIRES: n > 0.
double AsymptoticMultiplier(double n, const SequenceOptions& options);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_ASYMPTOTIC_SEQUENCE_H_
