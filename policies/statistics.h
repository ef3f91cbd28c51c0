// SPDX-License-Identifier: Apache-2.0
// The sufficient statistics of one arm, as a flat vector of doubles.
//
// Everything that a policy learns from is a sum, so one vector type can be
// persisted, merged over workers and replicas (addition) and discounted
// (multiplication). The ledger owns the vectors; policies read them through
// `ArmStatistics`.
#ifndef BANDIT_POLICIES_STATISTICS_H_
#define BANDIT_POLICIES_STATISTICS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace bandit::policies {

// Where each block lies in the vector of an arm:
//
//   [0] n         decisions that count (mature, or rewarded)
//   [1] sum       of y = r - center
//   [2] squares   of y
//   [3] weights   of 1 / p, p the decision's propensity
//   [4] weighted  of y / p
//   [5] weighted squares  of (y / p)^2
//   [6 ..)        lower triangle of sum x x', row by row: (0,0) (1,0) (1,1) ...
//   [.. size)     sum of r x  (r itself, not centered: the linear model has
//                 its own intercept column)
//
// `dimension` is the length of the feature vector x, 0 without context.
struct StatisticsLayout {
  static constexpr size_t kCount = 0;
  static constexpr size_t kSum = 1;
  static constexpr size_t kSquares = 2;
  static constexpr size_t kWeights = 3;
  static constexpr size_t kWeightedSum = 4;
  static constexpr size_t kWeightedSquares = 5;
  static constexpr size_t kGram = 6;

  size_t dimension = 0;

  constexpr size_t gram_size() const { return dimension * (dimension + 1) / 2; }
  constexpr size_t response() const { return kGram + gram_size(); }
  constexpr size_t size() const { return response() + dimension; }
};

// One decision with its reward.
struct Observation {
  double reward = 0;
  // In (0, 1].
  double propensity = 1;
  // Length `dimension`.
  absl::Span<const float> features;
};

// Adds `o` to `vector` (length layout.size()) with `weight` (-1 takes it back).
// REQUIRES: finite reward and features, 0 < propensity <= 1.
// Cost: O(dimension^2), no allocation.
void Accumulate(const StatisticsLayout& layout, double center,
                const Observation& o, absl::Span<double> vector,
                double weight = 1);

// A read-only view of one arm's vector.
// Ownership: borrows the vector.
class ArmStatistics {
 public:
  ArmStatistics(StatisticsLayout layout, double center,
                absl::Span<const double> vector)
      : layout_(layout), center_(center), vector_(vector) {}

  double count() const { return vector_[StatisticsLayout::kCount]; }
  // Of the rewards themselves, not of y.
  double sum() const;
  // 0 without a decision.
  double mean() const;
  // Unbiased sample variance, never negative; 0 with fewer than two decisions.
  double variance() const;

  // Whether every number of the vector is finite.
  bool finite() const;

  size_t dimension() const { return layout_.dimension; }
  // Lower triangle of sum x x', row by row.
  absl::Span<const double> gram() const {
    return vector_.subspan(StatisticsLayout::kGram, layout_.gram_size());
  }
  // Sum of r x.
  absl::Span<const double> response() const {
    return vector_.subspan(layout_.response(), layout_.dimension);
  }

 private:
  StatisticsLayout layout_;
  double center_;
  absl::Span<const double> vector_;
};

// Fails with InvalidArgument naming the first arm whose statistics are not all
// finite.
absl::Status CheckFinite(absl::Span<const ArmStatistics> arms);

// All arms' rewards as one sample: the scale that a policy measures by when a
// reward has no range of its own.
struct PooledRewards {
  double count = 0;
  // 0 without a decision.
  double mean = 0;
  // About the common mean, so the spread between arms is in it; unbiased,
  // never negative; 0 with fewer than two decisions.
  double variance = 0;
};
PooledRewards Pool(absl::Span<const ArmStatistics> arms);

}  // namespace bandit::policies

#endif  // BANDIT_POLICIES_STATISTICS_H_
