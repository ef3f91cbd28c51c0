// SPDX-License-Identifier: Apache-2.0
#include "router/report/weighted_reward.h"

#include "absl/types/span.h"

namespace bandit::report {
namespace {

using learning::MeasureLayout;
using learning::PartSums;

// A count and a sum of each cell: as they are, or weighted by 1 / p.
struct Columns {
  size_t count;
  size_t sum;
};
constexpr Columns kPlain = {MeasureLayout::kCount, MeasureLayout::kSum};
constexpr Columns kWeighted = {MeasureLayout::kWeights,
                               MeasureLayout::kWeighted};

double CountIn(const PartSums& part, size_t cell, size_t column) {
  return part.decisions[cell * MeasureLayout::kDecisionCell + column];
}

// Of the cells [first, last): one set of buckets.
void Combine(absl::Span<const PartSums> parts, size_t base, size_t first,
             size_t last, const Columns& columns, absl::Span<double> counts,
             absl::Span<double> sums) {
  std::vector<double> totals;
  std::vector<double> means;
  double mean = 0;
  for (const PartSums& part : parts) {
    double n = 0, sum = 0;
    for (size_t c = first; c < last; ++c) {
      n += CountIn(part, c, columns.count);
      sum += part.rewards[c * MeasureLayout::kRewardCell + columns.sum];
    }
    if (!(n > 0)) return;  // Nothing is known of a part: nothing of the sum.
    totals.push_back(n);
    means.push_back(sum / n);
    mean += part.weight * (part.center + means.back());
  }
  for (size_t c = first; c < last; ++c) {
    const double n = CountIn(parts[base], c, columns.count);
    double pull = 0;
    for (size_t k = 0; k < parts.size(); ++k) {
      const double sum =
          parts[k].rewards[c * MeasureLayout::kRewardCell + columns.sum];
      pull += parts[k].weight *
              (sum - means[k] * CountIn(parts[k], c, columns.count)) /
              totals[k];
    }
    counts[c * MeasureLayout::kDecisionCell + columns.count] = n;
    sums[c * MeasureLayout::kRewardCell + columns.sum] =
        n * mean + totals[base] * pull;
  }
}

// The part with the fewest decisions.
size_t BaseOf(absl::Span<const PartSums> parts) {
  size_t base = 0;
  double fewest = 0;
  for (size_t k = 0; k < parts.size(); ++k) {
    double n = 0;
    for (size_t c = 0; c < learning::kUnitBuckets; ++c) {
      n += CountIn(parts[k], c, MeasureLayout::kCount);
    }
    if (k == 0 || n < fewest) {
      base = k;
      fewest = n;
    }
  }
  return base;
}

std::vector<double> ArmTotal(const MeasureLayout& layout,
                             absl::Span<const PartSums> parts) {
  std::vector<double> total(layout.total_size());
  const absl::Span<double> counts = absl::MakeSpan(total);
  const absl::Span<double> sums = counts.subspan(layout.decision_size());
  const size_t base = BaseOf(parts);
  for (const Columns& columns : {kPlain, kWeighted}) {
    Combine(parts, base, 0, learning::kUnitBuckets, columns, counts, sums);
    for (size_t first = learning::kUnitBuckets; first < layout.cells();
         first += learning::kSegmentBuckets) {
      Combine(parts, base, first, first + learning::kSegmentBuckets, columns,
              counts, sums);
    }
  }
  return total;
}

}  // namespace

MetricInput WeightedReward(const experiment::Experiment& experiment,
                           const MeasureLayout& layout,
                           const std::vector<MetricInput>& declared,
                           const std::vector<std::vector<double>>& calls) {
  MetricInput metric{.name = "weighted reward",
                     .role = "reward",
                     .cells_only = true,
                     .arms = {}};
  for (size_t a = 0; a < experiment.arms.size(); ++a) {
    std::vector<PartSums> parts;
    for (const experiment::RewardPart& part : experiment.reward_parts) {
      PartSums& to = parts.emplace_back();
      to.weight = part.weight;
      if (part.source == experiment::MetricSource::kFeedback) {
        to.center = declared[part.metric].center;
        to.decisions = declared[part.metric].arms[a];
        to.rewards = to.decisions.subspan(layout.decision_size());
      } else {
        to.decisions = calls[a];
        to.rewards = to.decisions.subspan(layout.decision_size() +
                                          learning::CallIndex(part.source) *
                                              layout.reward_size());
      }
    }
    metric.arms.push_back(ArmTotal(layout, parts));
  }
  return metric;
}

}  // namespace bandit::report
