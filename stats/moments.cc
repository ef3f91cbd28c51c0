// SPDX-License-Identifier: Apache-2.0
#include "stats/moments.h"

#include <cassert>
#include <cmath>
#include <limits>

namespace bandit::stats {

Moments Moments::Of(double count, double mean, double variance) {
  assert(count >= 1 && variance >= 0);
  return {count, 0, (count - 1) * variance, mean};
}

void Moments::Add(double value) {
  const double y = value - origin;
  ++count;
  sum += y;
  squares += y * y;
}

Moments Moments::About(double new_origin) const {
  const double shift = origin - new_origin;
  return {count, sum + count * shift,
          squares + 2 * shift * sum + count * shift * shift, new_origin};
}

void Moments::Merge(const Moments& other) {
  const Moments shifted = other.About(origin);
  count += shifted.count;
  sum += shifted.sum;
  squares += shifted.squares;
}

double Moments::mean() const { return count > 0 ? origin + sum / count : 0; }

double Moments::variance() const {
  if (count < 2) return 0;
  if (!std::isfinite(squares)) return squares;
  const double spread = squares - sum / count * sum;
  // The rounding of `count` additions.
  const double noise = count * std::numeric_limits<double>::epsilon() * squares;
  return spread <= noise ? 0 : spread / (count - 1);
}

void CrossMoments::Add(double x, double y) {
  x -= origin_x;
  y -= origin_y;
  ++count;
  sum_x += x;
  sum_y += y;
  xx += x * x;
  yy += y * y;
  xy += x * y;
}

CrossMoments CrossMoments::About(double new_origin_x,
                                 double new_origin_y) const {
  const Moments about_x = x().About(new_origin_x);
  const Moments about_y = y().About(new_origin_y);
  const double shift_x = origin_x - new_origin_x;
  const double shift_y = origin_y - new_origin_y;
  return {count,
          about_x.sum,
          about_y.sum,
          about_x.squares,
          about_y.squares,
          xy + shift_x * sum_y + shift_y * sum_x + count * shift_x * shift_y,
          new_origin_x,
          new_origin_y};
}

void CrossMoments::Merge(const CrossMoments& other) {
  const CrossMoments shifted = other.About(origin_x, origin_y);
  count += shifted.count;
  sum_x += shifted.sum_x;
  sum_y += shifted.sum_y;
  xx += shifted.xx;
  yy += shifted.yy;
  xy += shifted.xy;
}

double CrossMoments::covariance() const {
  return count < 2 ? 0 : (xy - sum_x / count * sum_y) / (count - 1);
}

}  // namespace bandit::stats
