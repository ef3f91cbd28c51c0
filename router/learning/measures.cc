// SPDX-License-Identifier: Apache-2.0
#include "router/learning/measures.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

namespace bandit::learning {

namespace {

// Calls f(cell) for each cell that the decision falls in.
template <typename F>
void ForEachCell(const MeasureLayout& layout,
                 const experiment::Decision& decision, const F& f) {
  const size_t bucket = UnitBucket(decision.unit);
  f(bucket);
  uint32_t code = decision.segments;
  size_t first = kUnitBuckets;
  for (const uint32_t size : layout.segments) {
    f(first + code % size * kSegmentBuckets +
      bucket / (kUnitBuckets / kSegmentBuckets));
    first += size * kSegmentBuckets;
    code /= size;
  }
}

}  // namespace

MeasureLayout MeasuresOf(const experiment::Experiment& experiment) {
  MeasureLayout layout;
  for (const experiment::Segment& segment : experiment.segments) {
    layout.segments.push_back(segment.size());
  }
  return layout;
}

void AddDecision(const MeasureLayout& layout,
                 const experiment::Decision& decision,
                 absl::Span<double> decisions) {
  const double weight = 1 / decision.propensity;
  const double x = decision.covariate;
  ForEachCell(layout, decision, [&](size_t at) {
    double* cell = decisions.data() + at * MeasureLayout::kDecisionCell;
    cell[MeasureLayout::kCount] += 1;
    cell[MeasureLayout::kWeights] += weight;
    cell[MeasureLayout::kCovariate] += x;
  });
  double* tail =
      decisions.data() + layout.cells() * MeasureLayout::kDecisionCell;
  tail[MeasureLayout::kSquaredWeights] += weight * weight;
  tail[MeasureLayout::kCovariateSquares] += x * x;
}

void AddReward(const MeasureLayout& layout,
               const experiment::Decision& decision, double y,
               absl::Span<double> rewards) {
  const double weight = 1 / decision.propensity;
  const double weighted = y * weight;
  ForEachCell(layout, decision, [&](size_t at) {
    double* cell = rewards.data() + at * MeasureLayout::kRewardCell;
    cell[MeasureLayout::kSum] += y;
    cell[MeasureLayout::kWeighted] += weighted;
  });
  double* tail = rewards.data() + layout.cells() * MeasureLayout::kRewardCell;
  tail[MeasureLayout::kRewards] += 1;
  tail[MeasureLayout::kSquares] += y * y;
  tail[MeasureLayout::kWeightedSquares] += weighted * weighted;
  tail[MeasureLayout::kCrossed] += weighted * weight;
  tail[MeasureLayout::kCovariateProducts] += decision.covariate * y;
}

void AddTo(absl::Span<const double> from, absl::Span<double> to) {
  assert(from.size() == to.size());
  for (size_t i = 0; i < from.size(); ++i) to[i] += from[i];
}

namespace latency_cells {
namespace {

// The cell that holds `value`.
size_t CellOf(double value) {
  constexpr double kLeast = int64_t{1} << kFirstOctave;
  if (!(value > kLeast)) return 0;
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);  // In [1/2, 1).
  const int octave = exponent - 1 - kFirstOctave;
  const auto within = static_cast<int>((mantissa - 0.5) * 2 * kPerOctave);
  return std::min(static_cast<size_t>(octave * kPerOctave + within), kSize - 1);
}

double LowerEnd(size_t cell) {
  const auto octave = static_cast<int>(cell / kPerOctave);
  const auto within = static_cast<double>(cell % kPerOctave);
  return std::ldexp(1 + within / kPerOctave, kFirstOctave + octave);
}

}  // namespace

void Add(const stats::LogLinearHistogram& histogram, absl::Span<double> cells) {
  assert(cells.size() == kSize);
  for (const stats::HistogramCell& cell : histogram.Cells()) {
    const double middle = std::isfinite(cell.high)
                              ? cell.low + (cell.high - cell.low) / 2
                              : cell.low;
    cells[CellOf(middle)] += cell.count;
  }
}

std::vector<stats::HistogramCell> Read(absl::Span<const double> cells) {
  std::vector<stats::HistogramCell> read;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] == 0) continue;
    read.push_back({.low = i == 0 ? 0 : LowerEnd(i),
                    .high = LowerEnd(i + 1),
                    .count = cells[i]});
  }
  return read;
}

}  // namespace latency_cells
}  // namespace bandit::learning
