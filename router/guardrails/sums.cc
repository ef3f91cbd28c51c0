// SPDX-License-Identifier: Apache-2.0
#include "router/guardrails/sums.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace bandit::guardrails {
namespace {

constexpr int kPerOctave = 16;

// 0 holds what is below 1.
size_t CellOf(double low) {
  if (low < 1) return 0;
  int exponent = 0;
  const double fraction = std::frexp(low, &exponent);  // [1/2, 1).
  const auto sub = static_cast<int>((2 * fraction - 1) * kPerOctave);
  return 1 + static_cast<size_t>((exponent - 1) * kPerOctave + sub);
}

double LowOf(size_t cell) {
  if (cell == 0) return 0;
  const auto octave = static_cast<int>((cell - 1) / kPerOctave);
  const auto sub = static_cast<double>((cell - 1) % kPerOctave);
  return std::ldexp(1 + sub / kPerOctave, octave);
}

// The longer of the two, with `sign` times the other added.
void Combine(const std::vector<double>& other, double sign,
             std::vector<double>* counts) {
  if (counts->size() < other.size()) counts->resize(other.size());
  for (size_t i = 0; i < other.size(); ++i) (*counts)[i] += sign * other[i];
}

}  // namespace

void CoarseHistogram::Add(const std::vector<stats::HistogramCell>& cells) {
  for (const stats::HistogramCell& cell : cells) {
    const size_t at = CellOf(cell.low);
    if (counts_.size() <= at) counts_.resize(at + 1);
    counts_[at] += cell.count;
  }
}

std::vector<stats::HistogramCell> CoarseHistogram::Cells() const {
  std::vector<stats::HistogramCell> cells;
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] > 0) cells.push_back({LowOf(i), LowOf(i + 1), counts_[i]});
  }
  return cells;
}

CoarseHistogram& CoarseHistogram::operator+=(const CoarseHistogram& other) {
  Combine(other.counts_, 1, &counts_);
  return *this;
}

CoarseHistogram& CoarseHistogram::operator-=(const CoarseHistogram& other) {
  Combine(other.counts_, -1, &counts_);
  return *this;
}

Sums& Sums::operator+=(const Sums& other) {
  count += other.count;
  sum += other.sum;
  squares += other.squares;
  histogram += other.histogram;
  return *this;
}

Sums& Sums::operator-=(const Sums& other) {
  count -= other.count;
  sum -= other.sum;
  squares -= other.squares;
  histogram -= other.histogram;
  return *this;
}

}  // namespace bandit::guardrails
