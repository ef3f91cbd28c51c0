// SPDX-License-Identifier: Apache-2.0
// Sample ratio mismatch where shares move: does each arm get the traffic that
// the propensities say, however a bandit changed them?
//
// Under an honest draw the number of times an arm was drawn, less the sum of
// its propensities, is a martingale with steps within [-1, 1]. So the test
// needs for each arm three sums over all decisions, those that drew another arm
// included, and no assumption about the policy.
#ifndef BANDIT_STATS_MARTINGALE_SRM_H_
#define BANDIT_STATS_MARTINGALE_SRM_H_

#include "absl/types/span.h"

namespace bandit::stats {

// Of one arm. Sums: they merge by addition.
struct AssignmentSums {
  double count = 0;     // Decisions that drew the arm.
  double expected = 0;  // Sum of its propensity p.
  double variance = 0;  // Sum of p (1 - p).

  // `times` decisions at propensity `p`, of which `drawn` drew the arm.
  void Add(double p, double drawn, double times = 1) {
    count += drawn;
    expected += times * p;
    variance += times * p * (1 - p);
  }
};

struct MartingaleSrm {
  // The arm farthest from its due and by how many standard deviations (its
  // sign: + for too much traffic). 0 where no arm had a choice (p of 0 or 1).
  size_t worst_arm = 0;
  double z = 0;
  // Of z, for this look alone, over all arms (Bonferroni).
  double p_fixed = 1;
  // ln of the evidence, for any number of looks, without asymptotics: the mean
  // over arms and both directions of a sub-Poisson mixture (mixture.h).
  // PFromEvidence gives this look's p-value.
  double log_evidence = 0;
};

// `planned` is the variance sum at which the evidence grows fastest, fixed in
// advance: 2500 is that of 10,000 even draws between two arms. No arms, or none
// that had a choice: no evidence. An arm drawn at propensity 0, or not drawn at
// 1, shows as infinite z and evidence.
MartingaleSrm TestAssignments(absl::Span<const AssignmentSums> arms,
                              double planned = 2500);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_MARTINGALE_SRM_H_
