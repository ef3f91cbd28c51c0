// SPDX-License-Identifier: Apache-2.0
#include "stats/quantile_sequence.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "stats/interval.h"

namespace bandit::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The whole numbers above `offset`, one each.
std::vector<HistogramCell> Numbers(int n, int offset = 0) {
  std::vector<HistogramCell> cells;
  for (int i = 1; i <= n; ++i) {
    cells.push_back(
        {.low = 1.0 * offset + i, .high = 1.0 * offset + i, .count = 1});
  }
  return cells;
}

TEST(QuantileSequenceTest, RanksMatchConfseq) {
  // Its beta-binomial bound at g = 0.2, h = 0.8, V = 100, tuned for 100.
  const Interval ranks =
      QuantileRanks(625, 0.2, {.alpha = 0.05, .planned = 625});
  EXPECT_NEAR(ranks.high - 125, 31.4308, 1e-4);
  EXPECT_LT(ranks.low, 125 - 25);
  // The other side is that of 1 - q.
  const Interval mirrored =
      QuantileRanks(625, 0.8, {.alpha = 0.05, .planned = 625});
  EXPECT_NEAR(mirrored.low, 625 - ranks.high, 1e-9);
}

struct DifferenceCase {
  double q;
  int offset;
  double p;
};

TEST(QuantileSequenceTest, DifferenceMatchesConfseq) {
  // gostevehoward/confseq test/uniform_boundaries_unittest.cpp: 1 .. 1000
  // against the same moved.
  for (const DifferenceCase& c : {DifferenceCase{0.5, 70, 0.814704},
                                  {0.5, 85, 0.0838055},
                                  {0.5, 100, 0.0054947},
                                  {0.9, 55, 0.0340463}}) {
    const SequenceOptions options{.alpha = 0.05, .planned = 100};
    const auto a = Numbers(1000);
    const auto b = Numbers(1000, c.offset);
    EXPECT_NEAR(PFromEvidence(LogQuantileDifference(a, b, c.q, options)), c.p,
                1e-5);
    EXPECT_NEAR(PFromEvidence(LogQuantileDifference(b, a, c.q, options)), c.p,
                1e-5);
  }
}

TEST(QuantileSequenceTest, IntervalsEndAtTheRanks) {
  const SequenceOptions options{.planned = 500};
  const Interval ranks = QuantileRanks(1000, 0.5, options);
  const Interval interval = QuantileSequence(Numbers(1000), 0.5, options);
  // Value i has rank i: the first within reach, the first beyond.
  EXPECT_EQ(interval.low, std::ceil(ranks.low));
  EXPECT_EQ(interval.high, std::floor(ranks.high) + 1);
}

// A bucket's values may lie anywhere in it.
TEST(QuantileSequenceTest, CoarseCellsGiveTheirOuterEnds) {
  const SequenceOptions options{.planned = 500};
  std::vector<HistogramCell> coarse;
  for (int i = 0; i < 10; ++i) {
    coarse.push_back(
        {.low = 100.0 * i + 1, .high = 100.0 * (i + 1), .count = 100});
  }
  const Interval fine = QuantileSequence(Numbers(1000), 0.5, options);
  const Interval interval = QuantileSequence(coarse, 0.5, options);
  EXPECT_EQ(interval.low, 100 * std::floor((fine.low - 1) / 100) + 1);
  EXPECT_EQ(interval.high, 100 * std::ceil(fine.high / 100));
  EXPECT_LE(
      LogQuantileDifference(coarse, Numbers(1000, 85), 0.5, options),
      LogQuantileDifference(Numbers(1000), Numbers(1000, 85), 0.5, options));
}

TEST(QuantileSequenceTest, ATailThatTheDataDoNotReachIsOpen) {
  const SequenceOptions options{.planned = 1000};
  const Interval p99 = QuantileSequence(Numbers(200), 0.99, options);
  EXPECT_GT(p99.low, 150);
  EXPECT_EQ(p99.high, kInfinity);
  const Interval p01 = QuantileSequence(Numbers(200), 0.01, options);
  EXPECT_EQ(p01.low, -kInfinity);
  EXPECT_LT(p01.high, 50);
  const Interval none = QuantileSequence({}, 0.5, options);
  EXPECT_EQ(none.low, -kInfinity);
  EXPECT_EQ(none.high, kInfinity);
}

TEST(QuantileSequenceTest, EqualOrNoDataAreNoDifference) {
  const SequenceOptions options;
  EXPECT_EQ(LogQuantileDifference({}, {}, 0.5, options), 0);
  EXPECT_NEAR(LogQuantileDifference(Numbers(100), {}, 0.5, options), 0, 0.3);
  EXPECT_LT(LogQuantileDifference(Numbers(500), Numbers(500), 0.9, options), 0);
  // One value many times over: any rank is possible there.
  const HistogramCell same{.low = 7, .high = 7, .count = 1e6};
  EXPECT_LT(LogQuantileDifference({same}, {same}, 0.9, options), 0);
  const Interval interval = QuantileSequence({same}, 0.9, options);
  EXPECT_EQ(interval.low, 7);
  EXPECT_EQ(interval.high, 7);
}

TEST(QuantileSequenceTest, CellsOfALatencyHistogramServe) {
  LogLinearHistogram histogram;
  for (int i = 1; i <= 100000; ++i) {
    histogram.Record(static_cast<uint64_t>(i) * 1000);
  }
  const Interval p95 =
      QuantileSequence(histogram.Cells(), 0.95, {.planned = 10000});
  EXPECT_LT(p95.low, 95e6);
  EXPECT_GT(p95.high, 95e6);
  EXPECT_LT(p95.width(), 3e6);
}

}  // namespace
}  // namespace bandit::stats
