// SPDX-License-Identifier: Apache-2.0
// A log-linear histogram of non-negative integers (nanoseconds, bytes).
//
// Buckets are sums, so histograms of workers and replicas merge by addition.
// 64 buckets an octave: a bucket is at most 1/64 of its lower bound wide, so a
// quantile, given at the bucket's middle, is within 1 % (0.79 %).
#ifndef BANDIT_STATS_HISTOGRAM_H_
#define BANDIT_STATS_HISTOGRAM_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bandit::stats {

// The values recorded between `low` and `high`, both possible.
struct HistogramCell {
  double low = 0;
  double high = 0;
  double count = 0;
};

// Thread-safety: none.   Cost: Record is O(1); memory grows with the largest
// value recorded, 512 bytes an octave.
class LogLinearHistogram {
 public:
  // Counts `value`; values from 2^42 (an hour in ns) up fall into the last
  // bucket.
  void Record(uint64_t value, uint64_t times = 1);
  void Merge(const LogLinearHistogram& other);
  // Takes away what an earlier state of this one had.
  // REQUIRES: `earlier` is one; counts that would be negative are 0.
  void Unmerge(const LogLinearHistogram& earlier);
  void Clear();

  uint64_t count() const { return count_; }
  // Of the values themselves, not of bucket middles.
  double sum() const { return sum_; }
  // The smallest bucket middle with at least q of the values at or below it;
  // 0 if empty. q in [0, 1].
  double Quantile(double q) const;
  // How many values are at most `bound`, exact if the bound is a bucket's
  // upper end, else within one bucket. For Prometheus buckets.
  uint64_t CountAtMost(uint64_t bound) const;
  // The buckets that are not empty, ascending. The last bucket of all has no
  // upper end.
  std::vector<HistogramCell> Cells() const;

 private:
  static size_t Bucket(uint64_t value);

  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  double sum_ = 0;
};

}  // namespace bandit::stats

#endif  // BANDIT_STATS_HISTOGRAM_H_
