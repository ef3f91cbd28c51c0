// SPDX-License-Identifier: Apache-2.0
// An arm's sums of one metric, as the statistics want them.
#ifndef BANDIT_ROUTER_REPORT_ARM_SUMS_H_
#define BANDIT_ROUTER_REPORT_ARM_SUMS_H_

#include <vector>

#include "absl/types/span.h"
#include "router/learning/measures.h"
#include "stats/clusters.h"
#include "stats/moments.h"
#include "stats/off_policy.h"
#include "stats/proportions.h"

namespace bandit::report {

// Which cells are read: those of all units, or of a segment's value.
struct CellRange {
  size_t first = 0;
  size_t count = learning::kUnitBuckets;
};

// Ownership: borrows the vector, a total of `layout`.
class ArmSums {
 public:
  // With the cells of a segment only what is by bucket can be asked.
  ArmSums(const learning::MeasureLayout& layout, double center,
          absl::Span<const double> total, CellRange cells = {});

  double center() const { return center_; }
  // Decisions that count.
  double count() const { return count_; }
  double rewards() const {
    return RewardTail(learning::MeasureLayout::kRewards);
  }
  // Sums about the center, by bucket of the unit.
  std::vector<stats::BucketSums> Buckets() const;
  // The same weighted by 1 / p: its "count" is the sum of weights.
  std::vector<stats::BucketSums> Weighted() const;
  // Values and covariates themselves, not about a center, for CUPED.
  std::vector<stats::BucketSums> Values() const;
  std::vector<stats::BucketSums> Covariates() const;
  stats::CrossMoments Crossed() const;
  // As if every decision were a unit.
  stats::Moments Moments() const;
  // Of a binary metric.
  stats::Successes Successes() const;
  // For the arm's value over `decisions` of all arms. The center is the
  // prediction of every reward: it was fixed before them.
  stats::OffPolicySums OffPolicy(double decisions) const;
  // Of the weights 1 / p, relative to their mean: 0 while the share stays.
  double WeightVariation() const;

 private:
  double DecisionTail(size_t i) const {
    return total_[layout_.cells() * learning::MeasureLayout::kDecisionCell + i];
  }
  double RewardTail(size_t i) const {
    return total_[layout_.decision_size() +
                  layout_.cells() * learning::MeasureLayout::kRewardCell + i];
  }
  double Decided(size_t cell, size_t what) const {
    return total_[cell * learning::MeasureLayout::kDecisionCell + what];
  }
  double Rewarded(size_t cell, size_t what) const {
    return total_[layout_.decision_size() +
                  cell * learning::MeasureLayout::kRewardCell + what];
  }

  learning::MeasureLayout layout_;
  double center_;
  CellRange cells_;
  absl::Span<const double> total_;
  double count_ = 0;
  double sum_ = 0;       // About the center.
  double weights_ = 0;   // Of 1 / p.
  double weighted_ = 0;  // Of y / p.
};

}  // namespace bandit::report

#endif  // BANDIT_ROUTER_REPORT_ARM_SUMS_H_
