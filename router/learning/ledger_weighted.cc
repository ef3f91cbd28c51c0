// SPDX-License-Identifier: Apache-2.0
// The weighted sum of metrics as a reward: its moments, from those of its
// parts.
//
// The parts of one decision come at different times and depend on each other.
// So nothing is added up decision by decision: the mean is the weighted sum of
// the parts' means, and its variance that of the weighted sum across buckets of
// units, in which the parts meet again.
#include <algorithm>
#include <limits>

#include "router/learning/ledger.h"

namespace bandit::learning {
namespace {

using experiment::RewardPart;

}  // namespace

WeightedMoments WeighParts(absl::Span<const PartSums> parts) {
  WeightedMoments moments;
  if (parts.empty()) return moments;
  moments.count = std::numeric_limits<double>::infinity();
  std::array<double, kUnitBuckets> pulls{};
  std::array<bool, kUnitBuckets> used{};
  for (const PartSums& part : parts) {
    const auto count = [&](size_t b) {
      return part
          .decisions[b * MeasureLayout::kDecisionCell + MeasureLayout::kCount];
    };
    const auto sum = [&](size_t b) {
      return part.rewards[b * MeasureLayout::kRewardCell + MeasureLayout::kSum];
    };
    double n = 0, total = 0;
    for (size_t b = 0; b < kUnitBuckets; ++b) {
      n += count(b);
      total += sum(b);
    }
    if (!(n > 0)) return {};
    const double mean = total / n;
    moments.count = std::min(moments.count, n);
    moments.mean += part.weight * (part.center + mean);
    for (size_t b = 0; b < kUnitBuckets; ++b) {
      pulls[b] += part.weight * (sum(b) - mean * count(b)) / n;
      used[b] |= count(b) > 0;
    }
  }
  double squares = 0, buckets = 0;
  for (size_t b = 0; b < kUnitBuckets; ++b) {
    squares += pulls[b] * pulls[b];
    buckets += used[b] ? 1 : 0;
  }
  if (buckets > 1) moments.variance = squares * buckets / (buckets - 1);
  return moments;
}

void Ledger::UpdateWeighted() {
  for (size_t e = 0; e < books_.size(); ++e) {
    const experiment::Experiment& experiment = plan_->experiments[e];
    if (experiment.reward_parts.empty()) continue;
    const LedgerKey key{.experiment = uint32_t(e),
                        .metric = int32_t(experiment.reward_metric)};
    LedgerRow row = NewRow(key);
    for (size_t a = 0; a < experiment.arms.size(); ++a) {
      const WeightedMoments moments = Weighted(e, a);
      // As if of so many observations whose mean has this variance.
      const double n = moments.count;
      if (!(n > 0)) continue;
      const absl::Span<double> arm = row.arm(a);
      using policies::StatisticsLayout;
      arm[StatisticsLayout::kCount] = n;
      arm[StatisticsLayout::kSum] = moments.mean * n;
      arm[StatisticsLayout::kSquares] =
          n * moments.mean * moments.mean +
          moments.variance * n * std::max(n - 1, 0.0);
    }
    const LedgerRow* old = rows_.Find(key);
    if (old != nullptr && old->values == row.values) continue;
    // Made of rows that are kept: it need not be.
    rows_.Put(key, std::move(row));
    MarkChanged(e, experiment.reward_metric);
  }
}

WeightedMoments Ledger::Weighted(size_t experiment, size_t arm) const {
  const experiment::Experiment& e = plan_->experiments[experiment];
  const MeasureLayout& layout = books_[experiment].measures;
  std::vector<std::vector<double>> sums;
  std::vector<PartSums> parts;
  sums.reserve(e.reward_parts.size());
  for (const RewardPart& part : e.reward_parts) {
    PartSums& to = parts.emplace_back();
    to.weight = part.weight;
    size_t rewards = layout.decision_size();
    if (part.source == experiment::MetricSource::kFeedback) {
      sums.push_back(Measures(experiment, part.metric, arm));
      to.center = Center(experiment, part.metric);
    } else {
      sums.push_back(Calls(experiment, arm));
      rewards += CallIndex(part.source) * layout.reward_size();
    }
    to.decisions = absl::MakeConstSpan(sums.back());
    to.rewards = to.decisions.subspan(rewards);
  }
  return WeighParts(parts);
}

}  // namespace bandit::learning
