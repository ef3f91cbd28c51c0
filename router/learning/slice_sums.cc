// SPDX-License-Identifier: Apache-2.0
#include "router/learning/slice_sums.h"

namespace bandit::learning::slice_sums {

using policies::StatisticsLayout;

void AddReward(double y, double propensity, absl::Span<const float> x,
               absl::Span<double> rewards) {
  rewards[StatisticsLayout::kCount] += 1;
  rewards[StatisticsLayout::kSum] += y;
  rewards[StatisticsLayout::kSquares] += y * y;
  rewards[StatisticsLayout::kWeights] += 1 / propensity;
  const double weighted = y / propensity;
  rewards[StatisticsLayout::kWeightedSum] += weighted;
  rewards[StatisticsLayout::kWeightedSquares] += weighted * weighted;
  for (size_t i = 0; i < x.size(); ++i) {
    rewards[StatisticsLayout::kGram + i] += y * x[i];
  }
}

void AddDecisionsToTotal(const StatisticsLayout& layout, double default_value,
                         double count, double inverse_propensities,
                         absl::Span<const double> context,
                         absl::Span<double> total) {
  total[StatisticsLayout::kCount] += count;
  total[StatisticsLayout::kWeights] += inverse_propensities;
  if (context.empty()) return;
  const size_t gram = layout.gram_size();
  for (size_t i = 0; i < gram; ++i) {
    total[StatisticsLayout::kGram + i] += context[i];
  }
  for (size_t i = 0; i < layout.dimension; ++i) {
    total[layout.response() + i] += default_value * context[gram + i];
  }
}

void AddRewardsToTotal(const StatisticsLayout& layout,
                       absl::Span<const double> rewards,
                       absl::Span<double> total) {
  for (const size_t i :
       {StatisticsLayout::kSum, StatisticsLayout::kSquares,
        StatisticsLayout::kWeightedSum, StatisticsLayout::kWeightedSquares}) {
    total[i] += rewards[i];
  }
  for (size_t i = 0; i < layout.dimension; ++i) {
    total[layout.response() + i] += rewards[StatisticsLayout::kGram + i];
  }
}

}  // namespace bandit::learning::slice_sums
