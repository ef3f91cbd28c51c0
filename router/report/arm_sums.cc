// SPDX-License-Identifier: Apache-2.0
#include "router/report/arm_sums.h"

#include <algorithm>

namespace bandit::report {

using learning::MeasureLayout;

ArmSums::ArmSums(const MeasureLayout& layout, double center,
                 absl::Span<const double> total, CellRange cells)
    : layout_(layout), center_(center), cells_(cells), total_(total) {
  for (size_t b = cells_.first; b < cells_.first + cells_.count; ++b) {
    count_ += Decided(b, MeasureLayout::kCount);
    weights_ += Decided(b, MeasureLayout::kWeights);
    sum_ += Rewarded(b, MeasureLayout::kSum);
    weighted_ += Rewarded(b, MeasureLayout::kWeighted);
  }
}

std::vector<stats::BucketSums> ArmSums::Buckets() const {
  std::vector<stats::BucketSums> buckets;
  for (size_t b = cells_.first; b < cells_.first + cells_.count; ++b) {
    buckets.push_back({.count = Decided(b, MeasureLayout::kCount),
                       .sum = Rewarded(b, MeasureLayout::kSum)});
  }
  return buckets;
}

std::vector<stats::BucketSums> ArmSums::Weighted() const {
  std::vector<stats::BucketSums> buckets;
  for (size_t b = cells_.first; b < cells_.first + cells_.count; ++b) {
    buckets.push_back({.count = Decided(b, MeasureLayout::kWeights),
                       .sum = Rewarded(b, MeasureLayout::kWeighted)});
  }
  return buckets;
}

std::vector<stats::BucketSums> ArmSums::Values() const {
  std::vector<stats::BucketSums> buckets = Buckets();
  for (stats::BucketSums& bucket : buckets) {
    bucket.sum += center_ * bucket.count;
  }
  return buckets;
}

std::vector<stats::BucketSums> ArmSums::Covariates() const {
  std::vector<stats::BucketSums> buckets;
  for (size_t b = cells_.first; b < cells_.first + cells_.count; ++b) {
    buckets.push_back({.count = Decided(b, MeasureLayout::kCount),
                       .sum = Decided(b, MeasureLayout::kCovariate)});
  }
  return buckets;
}

stats::CrossMoments ArmSums::Crossed() const {
  double covariates = 0;
  for (const stats::BucketSums& bucket : Covariates()) {
    covariates += bucket.sum;
  }
  return {.count = count_,
          .sum_x = covariates,
          .sum_y = sum_,
          .xx = DecisionTail(MeasureLayout::kCovariateSquares),
          .yy = RewardTail(MeasureLayout::kSquares),
          .xy = RewardTail(MeasureLayout::kCovariateProducts),
          .origin_x = 0,
          .origin_y = center_};
}

stats::Moments ArmSums::Moments() const {
  return {.count = count_,
          .sum = sum_,
          .squares = RewardTail(MeasureLayout::kSquares),
          .origin = center_};
}

stats::Successes ArmSums::Successes() const {
  // A router that was killed may have lost decisions whose rewards it has.
  const double successes = sum_ + center_ * count_;
  return {.successes = std::clamp(successes, 0.0, count_), .trials = count_};
}

stats::OffPolicySums ArmSums::OffPolicy(double decisions) const {
  stats::OffPolicySums sums;
  sums.decisions = decisions;
  sums.draws = count_;
  sums.weights = weights_;
  sums.squared_weights = DecisionTail(MeasureLayout::kSquaredWeights);
  sums.squared_noise = RewardTail(MeasureLayout::kWeightedSquares);
  // r = c + y: from the sums of y to those of r.
  const double c = center_;
  const double crossed = RewardTail(MeasureLayout::kCrossed);
  sums.weighted = weighted_ + c * weights_;
  sums.crossed = crossed + c * sums.squared_weights;
  sums.weighted_squares =
      sums.squared_noise + 2 * c * crossed + c * c * sums.squared_weights;
  // s = c + w y.
  sums.scores = c * decisions + weighted_;
  sums.squared_scores =
      c * c * decisions + 2 * c * weighted_ + sums.squared_noise;
  return sums;
}

double ArmSums::WeightVariation() const {
  if (count_ <= 1 || weights_ <= 0) return 0;
  const double mean = weights_ / count_;
  const double squares = DecisionTail(MeasureLayout::kSquaredWeights) / count_;
  return std::max(0.0, squares / (mean * mean) - 1);
}

}  // namespace bandit::report
