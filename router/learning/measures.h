// SPDX-License-Identifier: Apache-2.0
// What a report is made from: sums by arm, metric and hash bucket of the unit.
//
// A unit is wholly in one bucket, so a variance taken across buckets holds
// however much the requests of one unit depend on each other
// (stats/clusters.h). All of it is sums of a fixed number of cells: memory
// depends on the config, never on the number of decisions, and slices, workers
// and restarts merge by addition.
#ifndef BANDIT_ROUTER_LEARNING_MEASURES_H_
#define BANDIT_ROUTER_LEARNING_MEASURES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "router/experiment/decision.h"
#include "router/experiment/plan.h"
#include "stats/histogram.h"

namespace bandit::learning {

// Frozen: stored cells are counted by it.
inline constexpr size_t kUnitBuckets = 64;
// Of a segment's value: four of the others make one.
inline constexpr size_t kSegmentBuckets = 16;

// The bucket of a unit's hash: its top bits.
constexpr size_t UnitBucket(uint64_t unit) { return unit >> 58; }

// An arm's sums of one metric are a decision part, then a reward part:
//
//   decisions  for each cell: n, sum 1/p, sum x    then sum 1/p^2, sum x^2
//   rewards    for each cell: sum y, sum y/p       then rewards, sum y^2,
//              sum (y/p)^2, sum y/p^2, sum x y
//
// p the decision's propensity, y the value about the row's center, x the
// unit's covariate. A cell is a bucket of units; the buckets of all decisions
// come first, then for each segment those of its values. Only the tails' sums
// are of all decisions alone.
struct MeasureLayout {
  // How many values each segment has, "other" included.
  absl::InlinedVector<uint32_t, 4> segments = {};

  static constexpr size_t kCount = 0;
  static constexpr size_t kWeights = 1;
  static constexpr size_t kCovariate = 2;
  static constexpr size_t kDecisionCell = 3;
  static constexpr size_t kSum = 0;
  static constexpr size_t kWeighted = 1;
  static constexpr size_t kRewardCell = 2;

  // After the cells.
  enum DecisionTail { kSquaredWeights, kCovariateSquares, kDecisionTail };
  enum RewardTail {
    kRewards,
    kSquares,
    kWeightedSquares,
    kCrossed,
    kCovariateProducts,
    kRewardTail
  };

  size_t cells() const {
    size_t values = 0;
    for (const uint32_t size : segments) values += size;
    return kUnitBuckets + values * kSegmentBuckets;
  }
  // The first cell of a segment's value.
  size_t first_cell(size_t segment, size_t value) const {
    size_t values = value;
    for (size_t s = 0; s < segment; ++s) values += segments[s];
    return kUnitBuckets + values * kSegmentBuckets;
  }
  size_t decision_size() const {
    return cells() * kDecisionCell + kDecisionTail;
  }
  size_t reward_size() const { return cells() * kRewardCell + kRewardTail; }
  size_t total_size() const { return decision_size() + reward_size(); }
};

MeasureLayout MeasuresOf(const experiment::Experiment& experiment);

// Cost of both: O(1), no allocation.
void AddDecision(const MeasureLayout& layout,
                 const experiment::Decision& decision,
                 absl::Span<double> decisions);
void AddReward(const MeasureLayout& layout,
               const experiment::Decision& decision, double y,
               absl::Span<double> rewards);

// to[i] += from[i]. REQUIRES: `to` is as long.
void AddTo(absl::Span<const double> from, absl::Span<double> to);

// What the router measures of every finished call. An arm's sums of all of
// them are one decision part (its decisions: the finished calls), then a reward
// part each, about 0.
inline constexpr std::array<experiment::MetricSource, 5> kMeasuredCalls = {
    experiment::MetricSource::kLatencyMs, experiment::MetricSource::kTtfbMs,
    experiment::MetricSource::kError, experiment::MetricSource::kResponseBytes,
    experiment::MetricSource::kCost};
// Its place among them. REQUIRES: it is one.
constexpr size_t CallIndex(experiment::MetricSource source) {
  size_t i = 0;
  while (kMeasuredCalls[i] != source) ++i;
  return i;
}
inline size_t CallsSize(const MeasureLayout& layout) {
  return layout.decision_size() + kMeasuredCalls.size() * layout.reward_size();
}

// The sums of one part of a weighted reward, of an arm.
struct PartSums {
  double weight = 0;
  double center = 0;
  absl::Span<const double> decisions;
  absl::Span<const double> rewards;
};

// Of the weighted sum of the parts.
struct WeightedMoments {
  double count =
      0;  // Decisions of the part that has fewest; 0: a part has none.
  double mean = 0;
  // Of the mean, taken across buckets of units, so that the parts may depend
  // on each other; 0 with fewer than two buckets.
  double variance = 0;
};
WeightedMoments WeighParts(absl::Span<const PartSums> parts);

// How arms were drawn, for the check of the split. An arm's sums over all of
// the experiment's decisions: for each bucket of units how often it was drawn
// and how often it should have been (sum of its p); then the sum of p (1 - p).
namespace assignment {
inline constexpr size_t kDrawn = 0;
inline constexpr size_t kExpected = 1;
inline constexpr size_t kCell = 2;
inline constexpr size_t kVariance = kUnitBuckets * kCell;
inline constexpr size_t kSize = kVariance + 1;
}  // namespace assignment

// A latency histogram of fixed size, in ns: 32 cells an octave from 2^12 (4 us)
// to 2^42, so a quantile is within 1.6 %. Its cells are unions of
// LogLinearHistogram's; shorter and longer latencies are in the end cells.
namespace latency_cells {
inline constexpr int kPerOctave = 32;
inline constexpr int kFirstOctave = 12;
inline constexpr int kOctaves = 30;
inline constexpr size_t kSize = size_t{kPerOctave} * kOctaves;
void Add(const stats::LogLinearHistogram& histogram, absl::Span<double> cells);
// Those that are not empty, ascending.
std::vector<stats::HistogramCell> Read(absl::Span<const double> cells);
}  // namespace latency_cells

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_MEASURES_H_
