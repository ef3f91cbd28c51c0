// SPDX-License-Identifier: Apache-2.0
#include "policies/statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "fmt/format.h"

namespace bandit::policies {

void Accumulate(const StatisticsLayout& layout, double center,
                const Observation& o, absl::Span<double> vector,
                double weight) {
  assert(vector.size() == layout.size());
  assert(o.features.size() == layout.dimension);
  assert(o.propensity > 0 && o.propensity <= 1);
  const double y = o.reward - center;
  const double inverse = 1 / o.propensity;
  const double weighted = y * inverse;
  vector[StatisticsLayout::kCount] += weight;
  vector[StatisticsLayout::kSum] += weight * y;
  vector[StatisticsLayout::kSquares] += weight * y * y;
  vector[StatisticsLayout::kWeights] += weight * inverse;
  vector[StatisticsLayout::kWeightedSum] += weight * weighted;
  vector[StatisticsLayout::kWeightedSquares] += weight * weighted * weighted;

  const float* const x = o.features.data();
  double* row = vector.data() + StatisticsLayout::kGram;
  for (size_t i = 0; i < layout.dimension; ++i) {
    // One-hot columns: most rows of a categorical context add nothing.
    if (x[i] != 0) {
      const double scaled = weight * static_cast<double>(x[i]);
      for (size_t j = 0; j <= i; ++j) row[j] += scaled * x[j];
    }
    row += i + 1;
  }
  const double reward = weight * o.reward;
  for (size_t i = 0; i < layout.dimension; ++i) row[i] += reward * x[i];
}

double ArmStatistics::sum() const {
  return vector_[StatisticsLayout::kSum] + count() * center_;
}

double ArmStatistics::mean() const {
  if (!(count() > 0)) return 0;
  return center_ + vector_[StatisticsLayout::kSum] / count();
}

double ArmStatistics::variance() const {
  const double n = count();
  if (!(n >= 2)) return 0;
  const double y = vector_[StatisticsLayout::kSum];
  return std::max(
      0.0, (vector_[StatisticsLayout::kSquares] - y * (y / n)) / (n - 1));
}

bool ArmStatistics::finite() const {
  return std::all_of(vector_.begin(), vector_.end(),
                     [](double v) { return std::isfinite(v); });
}

absl::Status CheckFinite(absl::Span<const ArmStatistics> arms) {
  for (size_t i = 0; i < arms.size(); ++i) {
    if (!arms[i].finite()) {
      return absl::InvalidArgumentError(
          fmt::format("arm {}: its statistics are not finite", i));
    }
  }
  return absl::OkStatus();
}

PooledRewards Pool(absl::Span<const ArmStatistics> arms) {
  PooledRewards pooled;
  for (const ArmStatistics& arm : arms) {
    if (!(arm.count() > 0)) continue;
    // A running mean: no sum that could cancel or overflow.
    pooled.count += arm.count();
    pooled.mean += (arm.mean() - pooled.mean) * (arm.count() / pooled.count);
  }
  if (!(pooled.count >= 2)) return pooled;
  double squares = 0;
  for (const ArmStatistics& arm : arms) {
    if (!(arm.count() > 0)) continue;
    const double offset = arm.mean() - pooled.mean;
    squares += std::max(0.0, arm.count() - 1) * arm.variance() +
               arm.count() * offset * offset;
  }
  pooled.variance = squares / (pooled.count - 1);
  return pooled;
}

}  // namespace bandit::policies
