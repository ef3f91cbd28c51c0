// SPDX-License-Identifier: Apache-2.0
// The value of an arm, or of any policy, from traffic that a bandit assigned:
// a confidence sequence without asymptotics, burn-in or bound on the weights.
//
// Needs the propensities of the draw as they were. Arms, contexts and means may
// drift; what is bounded is the average value over the decisions so far. So it
// is what rollbacks and promotions are decided by.
//
// Source: importance weighting with a RobustMean on either side (Mineiro, see
// robust_mean.h); the control variate, cut back to where the propensity can
// afford it, from Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro,
// Anytime-valid off-policy inference for contextual bandits, arXiv:2210.10768,
// section 3 (their k is `slack`).
#ifndef BANDIT_STATS_OFF_POLICY_SEQUENCE_H_
#define BANDIT_STATS_OFF_POLICY_SEQUENCE_H_

#include "stats/interval.h"
#include "stats/robust_mean.h"

namespace bandit::stats {

// Rewards lie in [0, 1]: others are to be scaled by their declared range first.
// All state is sums; sequences of parallel streams merge by addition.
class OffPolicySequence {
 public:
  // slack 0: plain importance weighting, predictions are ignored. Above:
  // augmented (AIPW), for an arm's value only, with AddDrawn and AddOthers.
  explicit OffPolicySequence(double slack = 0) : slack_(slack) {}

  // A decision and its reward under weight w = P_target(action) / propensity,
  // w = 0 if the target would never have done it. REQUIRES: E[w] = 1 given the
  // past, w >= 0; slack 0.
  void Add(double weight, double reward, double times = 1);

  // For the value of one arm: a decision that drew it, at `propensity` > 0; and
  // `times` decisions that drew another while it had `propensity`, 0 included.
  // The prediction of the arm's reward, in [0, 1], must not have seen this
  // decision's, nor be other for decisions of the same draw: the mean of
  // earlier rewards, say.
  void AddDrawn(double propensity, double reward, double prediction = 0);
  void AddOthers(double propensity, double prediction = 0, double times = 1);

  // REQUIRES: the same slack.
  void Merge(const OffPolicySequence& other);

  double decisions() const { return low_.count(); }
  // Unbiased: the IPW estimate, AIPW with slack. Not clipped to [0, 1].
  double estimate() const;

  // Within [0, 1], all of it without decisions. P(it ever leaves the average
  // value out) <= alpha.
  Interval Bounds(double alpha) const;
  // Whether `value` is in Bounds(alpha), for a fraction of its cost.
  bool Covers(double value, double alpha) const;

 private:
  // What may be subtracted per unit of weight - 1 without ever falling below
  // -slack.
  double Variate(double propensity, double prediction) const;
  // From the value's scale to that of a RobustMean, and back.
  double Scale(double x) const { return (x + slack_) / (1 + slack_); }
  double Unscale(double x) const { return x * (1 + slack_) - slack_; }

  double slack_;
  RobustMean low_;   // Of rewards r.
  RobustMean high_;  // Of 1 - r.
};

// The average of arm - control over the decisions so far, within [-1, 1]: each
// bounded at alpha / 2. The control is worse than the arm, for good, once 0 is
// below it. P(it ever leaves the difference out) <= alpha.
// REQUIRES: both over the same decisions.
Interval DifferenceBounds(const OffPolicySequence& arm,
                          const OffPolicySequence& control, double alpha);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_OFF_POLICY_SEQUENCE_H_
