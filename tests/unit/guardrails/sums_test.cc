// SPDX-License-Identifier: Apache-2.0
#include "router/guardrails/sums.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::guardrails {
namespace {

// Whatever was recorded lies in a cell no wider than 1/16 of its lower end.
TEST(CoarseHistogramTest, HoldsEveryValueInANarrowCell) {
  for (uint64_t value = 1; value < (uint64_t{1} << 41);
       value = value * 5 / 4 + 1) {
    stats::LogLinearHistogram histogram;
    histogram.Record(value);
    CoarseHistogram coarse;
    coarse.Add(histogram.Cells());
    const auto cells = coarse.Cells();
    ASSERT_EQ(cells.size(), 1);
    EXPECT_EQ(cells[0].count, 1);
    EXPECT_LE(cells[0].low, static_cast<double>(value));
    EXPECT_GE(cells[0].high, static_cast<double>(value));
    if (value >= 16) {
      EXPECT_LE(cells[0].high, cells[0].low * (1 + 1.0 / 16)) << value;
    }
  }
}

TEST(CoarseHistogramTest, KeepsTheOrderAndTheCounts) {
  stats::LogLinearHistogram histogram;
  histogram.Record(0, 2);
  histogram.Record(100, 3);
  histogram.Record(101, 4);
  histogram.Record(1'000'000);
  CoarseHistogram coarse;
  coarse.Add(histogram.Cells());
  const auto cells = coarse.Cells();
  ASSERT_EQ(cells.size(), 3);
  EXPECT_EQ(cells[0].count, 2);
  EXPECT_EQ(cells[1].count, 7);
  EXPECT_EQ(cells[2].count, 1);
  EXPECT_LE(cells[0].high, cells[1].low);
  EXPECT_LE(cells[1].high, cells[2].low);
}

TEST(SumsTest, TakeAwayWhatWasBefore) {
  stats::LogLinearHistogram first;
  first.Record(100);
  Sums before{.count = 1, .sum = 2, .squares = 4, .origin = 7};
  before.histogram.Add(first.Cells());
  Sums now = before;
  stats::LogLinearHistogram second;
  second.Record(1'000'000'000);
  Sums more{.count = 2, .sum = 10, .squares = 50, .origin = 7};
  more.histogram.Add(second.Cells());
  now += more;
  const Sums since = now - before;
  EXPECT_EQ(since.count, 2);
  EXPECT_EQ(since.sum, 10);
  EXPECT_EQ(since.squares, 50);
  EXPECT_EQ(since.origin, 7);
  const auto cells = since.histogram.Cells();
  ASSERT_EQ(cells.size(), 1);
  EXPECT_TRUE(cells[0].low <= 1e9 && 1e9 <= cells[0].high);
}

}  // namespace
}  // namespace bandit::guardrails
