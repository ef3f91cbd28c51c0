// SPDX-License-Identifier: Apache-2.0
// Shares of successes, of one arm and of two, with intervals that hold for few
// units and for none or all of them successful.
#ifndef BANDIT_STATS_PROPORTIONS_H_
#define BANDIT_STATS_PROPORTIONS_H_

#include "stats/estimate.h"

namespace bandit::stats {

// Independent units, each a success or not. Sums, hence doubles.
struct Successes {
  double successes = 0;
  double trials = 0;

  // 0 without a trial.
  double share() const { return trials > 0 ? successes / trials : 0; }
  // 0 <= successes <= trials, both finite.
  bool valid() const;
};

// Wilson's (1927) score interval; [0, 1] without a trial or if not valid.
// A one-sided plan leaves the other end at 0 or 1.
Interval WilsonInterval(const Successes& arm, const TestPlan& plan);

// treatment - control. The interval is Newcombe's hybrid of two Wilson
// intervals (1998, method 10), defined also for 0 % and 100 %; p is that of the
// z test with the pooled share, 1 if that share is 0 or 1; the standard error
// is the unpooled one, 0 at such ends.
// kTooFew if an arm has no trial, kInvalid if one is not valid.
Estimate ProportionDifference(const Successes& control,
                              const Successes& treatment, const TestPlan& plan);

// (treatment - control) / control, as a fraction. The interval is that of the
// log of the risk ratio (Katz et al. 1978); the standard error is that of the
// log; p is that of ProportionDifference.
// kZeroBaseline if the control has no success. kTooFew, value -1, if the
// treatment has none. kNoVariance if all trials of both are successes.
Estimate ProportionLift(const Successes& control, const Successes& treatment,
                        const TestPlan& plan);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_PROPORTIONS_H_
