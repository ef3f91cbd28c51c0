// SPDX-License-Identifier: Apache-2.0
// Posteriors of an arm's mean reward or of a lift, and what a report says of
// one. (best_arm.h and expected_loss.h compare several.)
//
// Bayesian numbers answer "what to believe", given the prior. They keep no
// error rate when one stops at a look of one's choice: pair them with a
// threshold on the expected loss, or with a confidence sequence.
#ifndef BANDIT_STATS_POSTERIOR_H_
#define BANDIT_STATS_POSTERIOR_H_

#include "stats/interval.h"

namespace bandit::stats {

// Beta(a, b). REQUIRES: 1e-6 <= a, b and a + b <= 1e16: beyond, the nodes run
// out of digits.
struct BetaPosterior {
  double a = 1;
  double b = 1;
};

// Normal. REQUIRES: finite, variance >= 0. A variance of 0 is a known value.
struct NormalPosterior {
  double mean = 0;
  double variance = 1;
};

double Mean(const BetaPosterior& posterior);
double Mean(const NormalPosterior& posterior);

// Equal tails; `mass` in (0, 1) lies within.
Interval CredibleInterval(const BetaPosterior& posterior, double mass);
Interval CredibleInterval(const NormalPosterior& posterior, double mass);

// A normal prior and an estimate with a normal error; an infinite prior
// variance is no prior. An error that is not above 0 leaves the estimate.
NormalPosterior UpdateNormal(const NormalPosterior& prior, double estimate,
                             double standard_error);

// What is believed of a lift (treatment over control).
struct LiftVerdict {
  // P(lift > 0); one half for a lift known to be 0.
  double probability_better = 0.5;
  // E[max(0, -lift)]: what is lost on average by shipping the treatment where
  // it is worse, in units of the lift.
  double loss_treatment = 0;
  // E[max(0, lift)]: by keeping control where it is not.
  double loss_control = 0;
};
LiftVerdict JudgeLift(const NormalPosterior& lift);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_POSTERIOR_H_
