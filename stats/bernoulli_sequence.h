// SPDX-License-Identifier: Apache-2.0
// Confidence sequences for a rate: clicks, errors, requests over a limit.
//
// Exact at every sample size, 0 and n successes included. The trials may be
// chosen by anything that does not see their outcome first, so an arm's rate
// may be read at any moment, under a bandit too, as long as the rate itself
// stays what it is. Where it drifts, off_policy.h bounds its average instead.
// Fractional successes in [0, 1] are fine: such trials vary less.
//
// Source: Howard et al. (2021, see mixture.h), proposition 7: for each p the
// martingale of a Beta(k p, k (1 - p)) mixture over rates, against p.
#ifndef BANDIT_STATS_BERNOULLI_SEQUENCE_H_
#define BANDIT_STATS_BERNOULLI_SEQUENCE_H_

#include "stats/asymptotic_sequence.h"
#include "stats/interval.h"

namespace bandit::stats {

// The mixture's k, above 0, that is tightest at `planned` trials, two-sided;
// for one side give 2 alpha.
double BernoulliConcentration(double planned, double alpha);

// ln of the evidence that the rate is not p. 0 without trials. Any p in
// [0, 1]: infinite when p is 0 or 1 and the trials contradict it.
// REQUIRES: 0 <= successes <= trials, concentration > 0.
double LogBernoulliEvidence(double successes, double trials, double p,
                            double concentration);

// ln of the evidence that the rate is above p: the hypothesis is any rate up to
// p, even one that changes from trial to trial.
double LogBernoulliExcess(double successes, double trials, double p,
                          double concentration);

// The rates that the evidence does not exclude; `planned` counts trials.
// [0, 1] without trials.
Interval BernoulliSequence(double successes, double trials,
                           const SequenceOptions& options);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_BERNOULLI_SEQUENCE_H_
