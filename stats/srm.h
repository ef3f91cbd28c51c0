// SPDX-License-Identifier: Apache-2.0
// Sample ratio mismatch: did the arms get the units that they should have?
//
// If not, units are lost or counted twice for some arms, and no other number of
// the experiment can be believed. For one look at the end; for many
// there is sequential_srm.h.
#ifndef BANDIT_STATS_SRM_H_
#define BANDIT_STATS_SRM_H_

#include "absl/types/span.h"
#include "stats/estimate.h"

namespace bandit::stats {

// Below this p a mismatch is taken for real. At 0.05 about half of all alarms
// would be false, for most experiments are sound.
inline constexpr double kSrmAlarm = 0.001;

struct RatioCheck {
  Validity validity = Validity::kTooFew;
  double chi_square = 0;
  double dof = 0;
  double p = 1;
  // Units in arms that should have none: a mismatch of its own, of which the
  // p-value knows nothing.
  double unexpected = 0;

  bool alarm(double threshold = kSrmAlarm) const {
    return p < threshold || unexpected > 0;
  }
};

// Pearson's chi-square of the units observed in each arm against the weights
// that assigned them, which need not sum to 1. Arms of weight 0 count neither
// in the sum nor in the degrees of freedom.
//
// Where the weights changed, under a bandit, give as weights the expected
// counts: the sum over decisions (or periods) of their probabilities.
// Conservative then, as the counts vary less than a multinomial's; exact is
// martingale_srm.h, from the logged propensities.
//
// kTooFew (p = 1) with fewer than two arms of weight above 0, and where less
// than 5 units are expected in one of them (Cochran 1954). kInvalid (p = 1) if
// a number is negative or not finite.
// REQUIRES: as many weights as arms.
RatioCheck CheckRatios(absl::Span<const double> observed,
                       absl::Span<const double> weights);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_SRM_H_
