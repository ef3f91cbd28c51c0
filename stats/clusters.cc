// SPDX-License-Identifier: Apache-2.0
#include "stats/clusters.h"

#include <cassert>
#include <cmath>
#include <limits>

namespace bandit::stats {
namespace {

struct Totals {
  double count = 0;
  double sum = 0;
  // Buckets with values.
  double used = 0;

  double mean() const { return sum / count; }
};

Totals Total(absl::Span<const BucketSums> buckets) {
  Totals total;
  for (const BucketSums& bucket : buckets) {
    total.count += bucket.count;
    total.sum += bucket.sum;
    total.used += bucket.count > 0;
  }
  return total;
}

// How far a bucket pulls the mean: the means' errors are sums of these.
double Pull(const BucketSums& bucket, const Totals& total) {
  return (bucket.sum - total.mean() * bucket.count) / total.count;
}

}  // namespace

MeanEstimate RatioOf(const CrossMoments& units) {
  MeanEstimate estimate{.count = units.count};
  const double x = units.x().mean();
  const double y = units.y().mean();
  const double vx = units.x().variance();
  const double vy = units.y().variance();
  const double cov = units.covariance();
  if (!std::isfinite(units.count) || units.count < 0 || !std::isfinite(x) ||
      !std::isfinite(y) || !std::isfinite(vx) || !std::isfinite(vy) ||
      !std::isfinite(cov)) {
    estimate.validity = Validity::kInvalid;
    return estimate;
  }
  if (units.count == 0) return estimate;
  if (y == 0) {
    estimate.validity = Validity::kZeroBaseline;
    return estimate;
  }
  const double ratio = x / y;
  estimate.mean = ratio;
  if (units.count < 2) return estimate;
  const double terms = vx + ratio * ratio * vy;
  const double variance = terms - 2 * ratio * cov;
  // Rounding, where numerator and denominator are proportional.
  const bool known =
      variance <= 16 * std::numeric_limits<double>::epsilon() * terms;
  estimate.validity = known ? Validity::kNoVariance : Validity::kValid;
  estimate.variance = known ? 0 : variance / y / y / units.count;
  estimate.dof = units.count - 1;
  return estimate;
}

MeanEstimate MeanOfBuckets(absl::Span<const BucketSums> buckets,
                           double origin) {
  const Totals total = Total(buckets);
  MeanEstimate estimate{.count = total.used};
  if (!std::isfinite(total.count) || !std::isfinite(total.sum) ||
      !std::isfinite(origin)) {
    estimate.validity = Validity::kInvalid;
    return estimate;
  }
  if (!(total.count > 0)) return estimate;
  estimate.mean = origin + total.mean();
  if (total.used < 2) return estimate;
  double squares = 0;
  double rounding = 0;
  for (const BucketSums& bucket : buckets) {
    const double pull = Pull(bucket, total);
    // Of as many additions as there are values.
    const double size = bucket.sum / total.count *
                        std::numeric_limits<double>::epsilon() *
                        (bucket.count + total.used);
    squares += pull * pull;
    rounding += size * size;
  }
  estimate.validity =
      squares > rounding ? Validity::kValid : Validity::kNoVariance;
  estimate.variance =
      squares > rounding ? squares * total.used / (total.used - 1) : 0;
  estimate.dof = total.used - 1;
  return estimate;
}

MeanPair PairOfBuckets(absl::Span<const BucketSums> control,
                       absl::Span<const BucketSums> treatment, double origin) {
  assert(control.size() == treatment.size());
  MeanPair pair{.control = MeanOfBuckets(control, origin),
                .treatment = MeanOfBuckets(treatment, origin)};
  if (pair.control.validity != Validity::kValid ||
      pair.treatment.validity != Validity::kValid) {
    return pair;
  }
  const Totals c = Total(control);
  const Totals t = Total(treatment);
  double used = 0;
  double products = 0;
  for (size_t i = 0; i < control.size(); ++i) {
    used += control[i].count > 0 || treatment[i].count > 0;
    products += Pull(control[i], c) * Pull(treatment[i], t);
  }
  // A bucket's pulls on both means are one observation, so all three variances
  // have the same M.
  const double scale = used / (used - 1);
  pair.covariance = products * scale;
  pair.control.variance *= scale * (c.used - 1) / c.used;
  pair.treatment.variance *= scale * (t.used - 1) / t.used;
  pair.dof = used - 1;
  return pair;
}

}  // namespace bandit::stats
