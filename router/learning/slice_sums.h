// SPDX-License-Identifier: Apache-2.0
// The sums of one time slice, and how they enter a metric's total.
//
// A metric with a default value D keeps its sums about D: y = r - D. Decisions
// enter the total as if all of them had got D (y = 0), rewards as what they
// add to that; so the two may come in any order and in any number of parts.
#ifndef BANDIT_ROUTER_LEARNING_SLICE_SUMS_H_
#define BANDIT_ROUTER_LEARNING_SLICE_SUMS_H_

#include <cstddef>

#include "absl/types/span.h"
#include "policies/statistics.h"

namespace bandit::learning::slice_sums {

// The vector of an arm's decisions: these three, then (in a slice of a
// contextual experiment) the lower triangle of sum x x', then sum x.
inline constexpr size_t kCount = 0;
inline constexpr size_t kPropensities = 1;
inline constexpr size_t kInversePropensities = 2;
inline constexpr size_t kContext = 3;

constexpr size_t DecisionWidth(const policies::StatisticsLayout& layout) {
  return kContext + layout.gram_size() + layout.dimension;
}

// The vector of an arm's rewards of one metric: the first six of
// StatisticsLayout over the rewarded decisions, then sum y x.
constexpr size_t RewardWidth(const policies::StatisticsLayout& layout) {
  return policies::StatisticsLayout::kGram + layout.dimension;
}

void AddReward(double y, double propensity, absl::Span<const float> x,
               absl::Span<double> rewards);

// `context` is empty or what follows kContext in a decision vector.
void AddDecisionsToTotal(const policies::StatisticsLayout& layout,
                         double default_value, double count,
                         double inverse_propensities,
                         absl::Span<const double> context,
                         absl::Span<double> total);

void AddRewardsToTotal(const policies::StatisticsLayout& layout,
                       absl::Span<const double> rewards,
                       absl::Span<double> total);

}  // namespace bandit::learning::slice_sums

#endif  // BANDIT_ROUTER_LEARNING_SLICE_SUMS_H_
