// SPDX-License-Identifier: Apache-2.0
// Off-policy estimates (IPW, SNIPS, AIPW) from adaptively assigned traffic,
// and their design-based confidence sequences.
//
// The randomness is the draw's alone: propensities are known, rewards may be
// anything, drift included. The design-based sequences are asymptotic: they
// want a burn-in, and propensities that have a floor or fall more slowly than
// t^(-1/4). With a floor of 0.05 simulated Thompson sampling left them with 2
// to 4 % of whole trials missed, for alpha 0.05; with one of 0.01 and drifting
// means IPW missed 8.7 %. off_policy_sequence.h wants neither: what acts by
// itself, a rollback above all, is to be decided by that one. These are for
// reports, where they are narrower.
//
// Sources: Ham, Bojinov, Lindon and Tingley, Design-based confidence sequences,
// arXiv:2210.08639; Liang and Bojinov, An experimental design for anytime-valid
// causal inference on multi-armed bandits, arXiv:2311.05794; Swaminathan and
// Joachims (2015) for SNIPS; Hadad, Hirshberg, Zhan, Wager and Athey (2021) for
// the adaptive weights.
#ifndef BANDIT_STATS_OFF_POLICY_H_
#define BANDIT_STATS_OFF_POLICY_H_

#include "stats/interval.h"

namespace bandit::stats {

// Of all decisions, for one target: an arm, or another policy. Sums: they merge
// by addition.
struct OffPolicySums {
  double decisions = 0;
  double draws = 0;             // Decisions with a weight above 0.
  double weights = 0;           // Sum of w.
  double squared_weights = 0;   // of w^2
  double weighted = 0;          // of w r
  double weighted_squares = 0;  // of w^2 r^2
  double crossed = 0;           // of w^2 r
  double scores = 0;            // of s = m + w (r - q)
  double squared_scores = 0;    // of s^2
  double squared_noise = 0;     // of w^2 (r - q)^2

  // A decision under weight w = P_target(action) / propensity. q predicts the
  // reward of the action taken, m the target's: sum over actions of P_target q.
  // For an arm's value w is 1 / p when it was drawn and else 0, and m = q.
  // Predictions must not have seen the reward; without any it is IPW. A
  // decision of weight 0 needs no reward.
  void Add(double w, double r, double q = 0, double m = 0, double times = 1);
  void Merge(const OffPolicySums& other);
};

// With a standard error for this one look. For traffic of fixed shares it is
// the usual one; under a bandit it is a description, not a test.
struct OffPolicyEstimate {
  double value = 0;
  double standard_error = 0;  // 0 with fewer than two decisions.
};

// Mean score: IPW without predictions, AIPW (doubly robust) with.
OffPolicyEstimate Augmented(const OffPolicySums& sums);
// Weighted mean, sum w r / sum w: biased by O(1 / n), steadier, never outside
// the rewards' range. 0 if no decision has a weight.
OffPolicyEstimate SelfNormalized(const OffPolicySums& sums);
// (sum w)^2 / sum w^2: decisions made by the target that would say as much.
double EffectiveSampleSize(const OffPolicySums& sums);
// Standard deviations of mean w from the 1 that honest propensities give it;
// large: the propensities are not those of the draw. 0 if that is unknown.
double WeightDeviation(const OffPolicySums& sums);

struct DesignOptions {
  double alpha = 0.05;
  // The sum of w^2 (r - q)^2 (of both arms, for a lift) at which the interval
  // is to be tightest: planned decisions times a typical term. Fixed before the
  // first look.
  double planned = 5000;
  // Draws of the target (each arm, for a lift) before anything is said.
  double burn_in = 100;
};

// The average value over the decisions so far. Unbounded, p = 1, before the
// burn-in, and while all noise is 0.
AnytimeEstimate DesignBasedValue(const OffPolicySums& sums,
                                 const DesignOptions& options);
// Average lift of `arm` over `control`, over the same decisions.
// REQUIRES: arms' sums over the same decisions.
AnytimeEstimate DesignBasedLift(const OffPolicySums& arm,
                                const OffPolicySums& control,
                                const DesignOptions& options);

// The estimate with the least variance at a fixed end: scores weighted by
// sqrt(p), for the value of one arm. Not anytime-valid.
struct AdaptivelyWeighted {
  double weights = 0;          // Sum of h = sqrt(p).
  double squared_weights = 0;  // of h^2
  double scores = 0;           // of h s
  double crossed = 0;          // of h^2 s
  double squared_scores = 0;   // of h^2 s^2

  // s = q + w (r - q), w = 1 / p when the arm was drawn and else 0.
  void Add(double p, double score, double times = 1);
  OffPolicyEstimate Estimate() const;
};

}  // namespace bandit::stats

#endif  // BANDIT_STATS_OFF_POLICY_H_
