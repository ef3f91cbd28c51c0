// SPDX-License-Identifier: Apache-2.0
// What an estimate says, and what it says when it cannot say anything.
//
// No function of this room answers with an unexplained NaN: an estimate that
// the data do not allow carries the reason, and numbers that decide nothing
// (an infinite interval, a p-value of 1).
#ifndef BANDIT_STATS_ESTIMATE_H_
#define BANDIT_STATS_ESTIMATE_H_

#include <limits>
#include <string_view>

#include "stats/interval.h"
#include "stats/moments.h"

namespace bandit::stats {

enum class Validity {
  kValid,
  // Fewer than two units (or buckets, arms, segments, days) to learn from.
  kTooFew,
  // All values are equal: how far to trust them cannot be told.
  kNoVariance,
  // A relative effect of a control whose mean is 0, or cannot be told from 0;
  // a ratio whose denominator is.
  kZeroBaseline,
  // An input is not finite, negative where that has no meaning, or the sums
  // have overflown.
  kInvalid,
};

// A few words for a report, "too few units to tell".
std::string_view Describe(Validity validity);

enum class Alternative {
  kTwoSided,
  kGreater,  // The effect is above 0: the interval is bounded below only.
  kLess,
};

struct TestPlan {
  // The chance of a false alarm, and 1 - the interval's coverage.
  // REQUIRES: 0 < alpha < 1.
  double alpha = 0.05;
  Alternative alternative = Alternative::kTwoSided;
};

// An effect with its test against 0.
struct Estimate {
  Validity validity = Validity::kTooFew;
  // What the data say, also where they do not allow more; 0 if not even that.
  double value = 0;
  double standard_error = std::numeric_limits<double>::infinity();
  // Degrees of freedom of the t distribution; infinity for the normal.
  double dof = std::numeric_limits<double>::infinity();
  Interval interval;
  double p = 1;
};

// The mean of one arm and how well it is known, whatever it was made from.
struct MeanEstimate {
  Validity validity = Validity::kTooFew;
  // Units (or buckets of units) behind it.
  double count = 0;
  double mean = 0;
  // Of the mean, not of the values.
  double variance = 0;
  double dof = 0;
};

// The sample mean of independent units.
MeanEstimate MeanOf(const Moments& moments);

// How many standard errors the interval reaches: the t quantile of the plan.
double CriticalValue(const TestPlan& plan, double dof);

// The interval value -+ reach, on the sides that the plan asks for.
Interval IntervalAround(double value, double reach, const TestPlan& plan);

// P-value of a statistic that is t with `dof` if there is no effect.
double PValue(double t, double dof, const TestPlan& plan);

// t test and interval from a value and its standard error.
// kNoVariance if the standard error is 0, kTooFew if dof <= 0, kInvalid if a
// number is not finite (dof may be).
Estimate Infer(double value, double standard_error, double dof,
               const TestPlan& plan);

// The interval of one arm's mean; p tests the mean against 0.
Estimate Infer(const MeanEstimate& mean, const TestPlan& plan);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_ESTIMATE_H_
