// SPDX-License-Identifier: Apache-2.0
// Count, sum and sum of squares: all that means and variances need.
//
// Sums merge by addition, over workers, replicas and slices of time. They are
// taken about an origin, a constant near the values, so that a variance does
// not vanish in the rounding of large squares.
#ifndef BANDIT_STATS_MOMENTS_H_
#define BANDIT_STATS_MOMENTS_H_

namespace bandit::stats {

// Of one quantity, in the quantity's unit.
// Overflow: sums that are not finite give means and variances that are not;
// whoever takes Moments says so in a Validity, see estimate.h.
struct Moments {
  // Units observed.
  double count = 0;
  // Of value - origin.
  double sum = 0;
  double squares = 0;
  double origin = 0;

  // From what others publish. REQUIRES: count >= 1, variance >= 0 (unbiased).
  static Moments Of(double count, double mean, double variance);

  void Add(double value);
  // Origins may differ.
  void Merge(const Moments& other);
  // The same values about another origin.
  Moments About(double new_origin) const;
  // Of the negated values: what is bad when it falls becomes bad when it rises.
  Moments Negated() const { return {count, -sum, squares, -origin}; }

  // 0 without an observation.
  double mean() const;
  // Unbiased. 0 with fewer than two observations, and where the spread is
  // below what rounding leaves in the sums: values that are all equal have
  // variance 0 whatever their origin.
  double variance() const;
};

// Of two quantities of the same units: numerator and denominator, or a metric
// (y) and its covariate (x).
struct CrossMoments {
  double count = 0;
  double sum_x = 0;
  double sum_y = 0;
  double xx = 0;
  double yy = 0;
  double xy = 0;
  double origin_x = 0;
  double origin_y = 0;

  void Add(double x, double y);
  // Origins may differ.
  void Merge(const CrossMoments& other);
  CrossMoments About(double new_origin_x, double new_origin_y) const;

  Moments x() const { return {count, sum_x, xx, origin_x}; }
  Moments y() const { return {count, sum_y, yy, origin_y}; }
  // Unbiased; 0 with fewer than two observations.
  double covariance() const;
};

}  // namespace bandit::stats

#endif  // BANDIT_STATS_MOMENTS_H_
