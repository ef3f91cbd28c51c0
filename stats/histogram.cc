// SPDX-License-Identifier: Apache-2.0
#include "stats/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace bandit::stats {
namespace {

// Values below 128 have a bucket each; above, the seven leading bits choose.
constexpr int kSubBits = 6;
constexpr uint64_t kSubBuckets = uint64_t{1} << kSubBits;
constexpr uint64_t kLargest = (uint64_t{1} << 42) - 1;

// The half-open range [low, high) of a bucket.
uint64_t LowerEnd(size_t bucket) {
  if (bucket < 2 * kSubBuckets) return bucket;
  const uint64_t shift = bucket / kSubBuckets - 1;
  return (kSubBuckets + bucket % kSubBuckets) << shift;
}

}  // namespace

size_t LogLinearHistogram::Bucket(uint64_t value) {
  if (value < 2 * kSubBuckets) return value;
  const int shift = std::bit_width(value) - 1 - kSubBits;
  return (static_cast<size_t>(shift) << kSubBits) + (value >> shift);
}

void LogLinearHistogram::Record(uint64_t value, uint64_t times) {
  const size_t bucket = Bucket(std::min(value, kLargest));
  if (bucket >= buckets_.size()) {
    // Whole octaves, so that a growing latency does not grow one by one.
    buckets_.resize((bucket / kSubBuckets + 1) * kSubBuckets);
  }
  buckets_[bucket] += times;
  count_ += times;
  sum_ += static_cast<double>(value) * static_cast<double>(times);
}

void LogLinearHistogram::Merge(const LogLinearHistogram& other) {
  if (other.buckets_.size() > buckets_.size()) {
    buckets_.resize(other.buckets_.size());
  }
  for (size_t i = 0; i < other.buckets_.size(); ++i) {
    buckets_[i] += other.buckets_[i];
  }
  count_ += other.count_;
  sum_ += other.sum_;
}

void LogLinearHistogram::Unmerge(const LogLinearHistogram& earlier) {
  const size_t common = std::min(buckets_.size(), earlier.buckets_.size());
  for (size_t i = 0; i < common; ++i) {
    const uint64_t taken = std::min(buckets_[i], earlier.buckets_[i]);
    buckets_[i] -= taken;
    count_ -= taken;
  }
  sum_ = count_ == 0 ? 0 : sum_ - earlier.sum_;
}

void LogLinearHistogram::Clear() {
  std::fill(buckets_.begin(), buckets_.end(), 0);
  count_ = 0;
  sum_ = 0;
}

double LogLinearHistogram::Quantile(double q) const {
  if (count_ == 0) return 0;
  const double wanted =
      std::max(1.0, std::ceil(q * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (static_cast<double>(seen) >= wanted) {
      return (static_cast<double>(LowerEnd(i)) +
              static_cast<double>(LowerEnd(i + 1) - 1)) /
             2;
    }
  }
  return 0;
}

uint64_t LogLinearHistogram::CountAtMost(uint64_t bound) const {
  const size_t last = Bucket(std::min(bound, kLargest));
  uint64_t seen = 0;
  for (size_t i = 0; i < buckets_.size() && i <= last; ++i) seen += buckets_[i];
  return seen;
}

std::vector<HistogramCell> LogLinearHistogram::Cells() const {
  const size_t last = Bucket(kLargest);
  std::vector<HistogramCell> cells;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i] == 0) continue;
    cells.push_back({.low = static_cast<double>(LowerEnd(i)),
                     .high = i < last ? static_cast<double>(LowerEnd(i + 1) - 1)
                                      : std::numeric_limits<double>::infinity(),
                     .count = static_cast<double>(buckets_[i])});
  }
  return cells;
}

}  // namespace bandit::stats
