// SPDX-License-Identifier: Apache-2.0
// Novelty and primacy: does the effect fade, or grow, while people get used to
// the arm?
#ifndef BANDIT_STATS_TREND_H_
#define BANDIT_STATS_TREND_H_

#include "absl/types/span.h"
#include "stats/estimate.h"
#include "stats/segments.h"

namespace bandit::stats {

struct DayEffect {
  // Days since the units' first exposure (or any other measure of time).
  double day = 0;
  Effect effect;
};

enum class Trend {
  kNone,
  kFalling,  // Novelty, if the effect is positive.
  kRising,   // Primacy.
};

struct TrendReport {
  // kFalling or kRising only if the slope and the contrast below are both
  // significant and agree: one day that is off gives a slope, a step at an
  // unrelated release a contrast.
  Trend trend = Trend::kNone;
  // Change of the effect a day: weighted least squares with weights
  // 1 / standard_error^2, the errors taken as known.
  // kTooFew with fewer than three usable days that differ.
  Estimate slope;
  // The line's value at day 0.
  double intercept = 0;
  // Weighted means up to and after the split, and early - late. kTooFew if
  // either side has no day.
  double early = 0;
  double late = 0;
  Estimate contrast;
};

// The effects must be of different units or of different days' values, so that
// their errors are independent. Under a bandit they must come from traffic that
// was assigned uniformly, or be weighted by the inverse propensity. Days whose
// effect is not finite or has no standard error above 0 are left out.
TrendReport TestTrend(absl::Span<const DayEffect> days, double split_day,
                      const TestPlan& plan);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_TREND_H_
