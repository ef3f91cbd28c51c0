// SPDX-License-Identifier: Apache-2.0
#include "stats/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace bandit::stats {
namespace {

constexpr uint64_t kLast = (uint64_t{1} << 42) - 1;

std::vector<uint64_t> LogUniform(size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<> exponent(0, 42);
  std::vector<uint64_t> values(n);
  for (uint64_t& v : values) {
    v = std::min(kLast, static_cast<uint64_t>(std::exp2(exponent(random))));
  }
  return values;
}

LogLinearHistogram Of(const std::vector<uint64_t>& values) {
  LogLinearHistogram histogram;
  for (uint64_t v : values) histogram.Record(v);
  return histogram;
}

TEST(LogLinearHistogramTest, EmptyIsZeroEverywhere) {
  LogLinearHistogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.sum(), 0);
  EXPECT_EQ(histogram.Quantile(0.5), 0);
  EXPECT_EQ(histogram.CountAtMost(kLast), 0u);
}

TEST(LogLinearHistogramTest, ValuesBelow128AreExact) {
  for (uint64_t v = 0; v < 128; ++v) {
    EXPECT_EQ(Of({v}).Quantile(1), static_cast<double>(v));
    EXPECT_EQ(Of({v}).CountAtMost(v), 1u);
    EXPECT_EQ(Of({v + 1}).CountAtMost(v), 0u);
  }
}

// Half a bucket of 1/64 of its lower end, and at the edges of every octave.
TEST(LogLinearHistogramTest, OneValueComesBackWithinItsRelativeError) {
  std::vector<uint64_t> values = LogUniform(20000, 1);
  for (int octave = 7; octave < 42; ++octave) {
    const uint64_t edge = uint64_t{1} << octave;
    values.insert(values.end(), {edge - 1, edge, edge + 1});
  }
  double worst = 0;
  for (uint64_t v : values) {
    const double exact = static_cast<double>(v);
    if (v > 0) {
      worst = std::max(worst, std::abs(Of({v}).Quantile(0.5) / exact - 1));
    }
  }
  EXPECT_LE(worst, 1.0 / 128);
  EXPECT_GT(worst, 1.0 / 256);  // Or the values did not probe it.
}

TEST(LogLinearHistogramTest, QuantilesAreWithinOnePerCent) {
  std::vector<uint64_t> values = LogUniform(9999, 2);
  const LogLinearHistogram histogram = Of(values);
  std::sort(values.begin(), values.end());
  for (double q : {0.0, 0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const size_t rank = static_cast<size_t>(
        std::max(1.0, std::ceil(q * static_cast<double>(values.size()))));
    const double exact = static_cast<double>(values[rank - 1]);
    EXPECT_NEAR(histogram.Quantile(q), exact, 0.01 * exact) << q;
  }
}

TEST(LogLinearHistogramTest, MergedEqualsRecordedTogether) {
  const std::vector<uint64_t> small = {1, 5, 100, 130};
  const std::vector<uint64_t> large = LogUniform(1000, 3);
  std::vector<uint64_t> both = small;
  both.insert(both.end(), large.begin(), large.end());
  const LogLinearHistogram together = Of(both);
  // Either may be the longer one.
  for (const auto& [first, second] :
       {std::pair(small, large), std::pair(large, small)}) {
    LogLinearHistogram merged = Of(first);
    merged.Merge(Of(second));
    EXPECT_EQ(merged.count(), together.count());
    EXPECT_DOUBLE_EQ(merged.sum(), together.sum());
    for (double q : {0.01, 0.5, 0.99}) {
      EXPECT_EQ(merged.Quantile(q), together.Quantile(q));
    }
    for (uint64_t bound : {uint64_t{120}, uint64_t{1} << 20, kLast}) {
      EXPECT_EQ(merged.CountAtMost(bound), together.CountAtMost(bound));
    }
  }
}

TEST(LogLinearHistogramTest, UnmergedIsWhatCameSince) {
  const std::vector<uint64_t> small = {1, 5, 100, 130};
  const std::vector<uint64_t> large = LogUniform(1000, 3);
  const LogLinearHistogram since = Of(large);
  LogLinearHistogram now = Of(small);
  now.Merge(since);
  now.Unmerge(Of(small));
  EXPECT_EQ(now.count(), since.count());
  EXPECT_NEAR(now.sum(), since.sum(), 1e-6 * since.sum());
  for (double q : {0.01, 0.5, 0.99}) {
    EXPECT_EQ(now.Quantile(q), since.Quantile(q));
  }
  now.Unmerge(since);
  EXPECT_EQ(now.count(), 0);
  EXPECT_EQ(now.sum(), 0);
}

TEST(LogLinearHistogramTest, CountAtMostIsExactAtUpperEndsOfBuckets) {
  const std::vector<uint64_t> values = LogUniform(5000, 4);
  const LogLinearHistogram histogram = Of(values);
  for (int octave = 6; octave < 42; ++octave) {
    for (uint64_t step : {0, 1, 17, 63}) {
      // The last value of the bucket.
      const uint64_t bound = ((64 + step + 1) << (octave - 6)) - 1;
      const auto exact = std::count_if(values.begin(), values.end(),
                                       [&](uint64_t v) { return v <= bound; });
      EXPECT_EQ(histogram.CountAtMost(bound), static_cast<uint64_t>(exact))
          << bound;
    }
  }
}

TEST(LogLinearHistogramTest, CountAtMostGrowsWithItsBound) {
  const LogLinearHistogram histogram = Of(LogUniform(5000, 5));
  uint64_t before = 0;
  for (uint64_t bound = 0; bound < 100000; bound += 7) {
    const uint64_t count = histogram.CountAtMost(bound);
    EXPECT_GE(count, before);
    before = count;
  }
}

TEST(LogLinearHistogramTest, ValuesBeyondTheRangeFallIntoTheLastBucket) {
  LogLinearHistogram histogram;
  histogram.Record(~uint64_t{0});
  histogram.Record(kLast);
  histogram.Record(uint64_t{1} << 42);
  EXPECT_EQ(histogram.count(), 3u);
  EXPECT_NEAR(histogram.Quantile(0.5), std::exp2(42), 0.01 * std::exp2(42));
  EXPECT_EQ(histogram.CountAtMost(~uint64_t{0}), 3u);
  EXPECT_EQ(histogram.CountAtMost(uint64_t{1} << 41), 0u);
  // The sum is of the values themselves.
  EXPECT_GT(histogram.sum(), std::exp2(63));
}

TEST(LogLinearHistogramTest, TimesCountsAValueManyTimes) {
  LogLinearHistogram histogram;
  histogram.Record(10, 99);
  histogram.Record(1000000);
  EXPECT_EQ(histogram.count(), 100u);
  EXPECT_EQ(histogram.sum(), 1000990);
  EXPECT_EQ(histogram.Quantile(0.99), 10);
  EXPECT_GT(histogram.Quantile(1), 990000);
}

TEST(LogLinearHistogramTest, ClearForgets) {
  LogLinearHistogram histogram = Of({5, 500000});
  histogram.Clear();
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.sum(), 0);
  EXPECT_EQ(histogram.CountAtMost(kLast), 0u);
  histogram.Record(7);
  EXPECT_EQ(histogram.Quantile(0.5), 7);
}

TEST(LogLinearHistogramTest, CellsHoldTheValuesAndAllOfThem) {
  LogLinearHistogram histogram;
  EXPECT_TRUE(histogram.Cells().empty());
  const uint64_t values[] = {0, 127, 128, 129, 1000000, uint64_t{1} << 41};
  for (uint64_t value : values) histogram.Record(value, 3);
  const std::vector<HistogramCell> cells = histogram.Cells();
  // 128 and 129 share one.
  ASSERT_EQ(cells.size(), 5u);
  double n = 0;
  for (size_t i = 0; i < cells.size(); ++i) {
    n += cells[i].count;
    EXPECT_LE(cells[i].low, cells[i].high);
    EXPECT_GT(cells[i].low, i > 0 ? cells[i - 1].high : -1.0);
  }
  EXPECT_EQ(n, 18);
  for (uint64_t value : values) {
    EXPECT_TRUE(std::any_of(cells.begin(), cells.end(), [&](const auto& cell) {
      return cell.low <= static_cast<double>(value) &&
             static_cast<double>(value) <= cell.high;
    })) << value;
  }
}

TEST(LogLinearHistogramTest, TheLastCellHasNoUpperEnd) {
  LogLinearHistogram histogram;
  histogram.Record(~uint64_t{0});
  ASSERT_EQ(histogram.Cells().size(), 1u);
  EXPECT_TRUE(std::isinf(histogram.Cells()[0].high));
}

}  // namespace
}  // namespace bandit::stats
