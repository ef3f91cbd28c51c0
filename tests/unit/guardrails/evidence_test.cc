// SPDX-License-Identifier: Apache-2.0
#include "router/guardrails/evidence.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/guardrails/rules.h"

namespace bandit::guardrails {
namespace {

const double kNeeded = -std::log(0.01);

Sums Latencies(double ms, uint64_t times) {
  stats::LogLinearHistogram histogram;
  histogram.Record(static_cast<uint64_t>(ms * 1e6), times);
  Sums sums{.count = static_cast<double>(times)};
  sums.histogram.Add(histogram.Cells());
  return sums;
}

Rule MeanRule() {
  return {.name = "cost below 10",
          .metric = "cost",
          .measure = Measure::kMean,
          .bound = 10};
}

// `n` values: half of them mean - 1, half mean + 1.
Sums Values(double mean, double n) {
  return {.count = n, .sum = n * mean, .squares = n * (mean * mean + 1)};
}

TEST(EvidenceTest, NoObservationIsNone) {
  EXPECT_EQ(LogEvidence(ErrorRule(), {}, {}), 0);
  EXPECT_EQ(LogEvidence(BesideControl(0), Hits(50, 100), {}), 0);
  EXPECT_EQ(LogEvidence(BesideControl(0), {}, Hits(0, 100)), 0);
  EXPECT_EQ(LogEvidence(MeanRule(), {}, {}), 0);
}

TEST(EvidenceTest, OfARateGrowsWithTheExcess) {
  EXPECT_LT(LogEvidence(ErrorRule(), Hits(2, 100), {}), 1);
  EXPECT_LT(LogEvidence(ErrorRule(), Hits(0, 1000), {}), 0);
  EXPECT_GT(LogEvidence(ErrorRule(), Hits(15, 100), {}), kNeeded);
  EXPECT_GT(LogEvidence(ErrorRule(), Hits(150, 1000), {}),
            LogEvidence(ErrorRule(), Hits(15, 100), {}));
}

// A click rate that must stay above 0.1 is the mirror of misses below 0.9.
TEST(EvidenceTest, OfWhatMustStayAboveIsTheMirror) {
  Rule above{.name = "", .metric = "click", .above = true, .bound = 0.1};
  Rule below{.name = "", .metric = "click", .bound = 0.9};
  for (const double hits : {0.0, 3.0, 10.0, 40.0}) {
    EXPECT_NEAR(LogEvidence(above, Hits(hits, 200), {}),
                LogEvidence(below, Hits(200 - hits, 200), {}), 1e-9);
  }
  EXPECT_GT(LogEvidence(above, Hits(2, 200), {}), kNeeded);
}

TEST(EvidenceTest, BesideTheControlNeedsMoreThanTheMargin) {
  const Sums control = Hits(20, 1000);
  EXPECT_GT(LogEvidence(BesideControl(0), Hits(80, 1000), control), kNeeded);
  EXPECT_LT(LogEvidence(BesideControl(0.1), Hits(80, 1000), control), 0);
  EXPECT_LT(LogEvidence(BesideControl(0), control, control), 1);
}

TEST(EvidenceTest, ComparesQuantilesByTheirRatio) {
  Rule rule{.name = "",
            .metric = "latency_ms",
            .measure = Measure::kQuantile,
            .against = Against::kControlTimes,
            .bound = 1.2,
            .quantile = 0.95};
  EXPECT_GT(LogEvidence(rule, Latencies(200, 300), Latencies(100, 300)),
            kNeeded);
  EXPECT_LT(LogEvidence(rule, Latencies(110, 300), Latencies(100, 300)), 0);
  EXPECT_LT(LogEvidence(rule, Latencies(50, 300), Latencies(100, 300)), 0);
}

// Without a range it wants a hundred values, and is asymptotic; with one it
// speaks at once, and exactly.
TEST(EvidenceTest, OfAMeanIsExactWhereTheRangeIsKnown) {
  Rule rule = MeanRule();
  EXPECT_FALSE(IsExact(rule));
  EXPECT_EQ(LogEvidence(rule, Values(12, 99), {}), 0);
  EXPECT_GT(LogEvidence(rule, Values(12, 200), {}), kNeeded);
  EXPECT_LT(LogEvidence(rule, Values(9, 200), {}), 0);
  rule.min = 0;
  rule.max = 20;
  EXPECT_TRUE(IsExact(rule));
  EXPECT_GT(LogEvidence(rule, Values(19, 30), {}), kNeeded);
  EXPECT_LT(LogEvidence(rule, Values(9, 500), {}), 0);
}

// The origin that sums are taken about changes nothing.
TEST(EvidenceTest, DoesNotDependOnTheOrigin) {
  Rule rule = MeanRule();
  for (const bool bounded : {false, true}) {
    if (bounded) {
      rule.min = 0;
      rule.max = 20;
    }
    const Sums about_ten{
        .count = 200, .sum = 400, .squares = 1000, .origin = 10};
    EXPECT_NEAR(LogEvidence(rule, about_ten, {}),
                LogEvidence(rule, Values(12, 200), {}), 1e-6);
    EXPECT_DOUBLE_EQ(Figure(rule, about_ten), 12);
  }
}

TEST(EvidenceTest, MeansAreComparedByTheirDifference) {
  Rule rule = MeanRule();
  rule.against = Against::kControlPlus;
  rule.bound = 1;
  EXPECT_GT(LogEvidence(rule, Values(13, 300), Values(10, 300)), kNeeded);
  EXPECT_LT(LogEvidence(rule, Values(10.5, 300), Values(10, 300)), 1);
  rule.above = true;  // Not below the control's less 1.
  EXPECT_GT(LogEvidence(rule, Values(7, 300), Values(10, 300)), kNeeded);
  EXPECT_LT(LogEvidence(rule, Values(9.5, 300), Values(10, 300)), 1);
}

TEST(IsBeyondTest, HoldsFiguresAgainstTheBound) {
  EXPECT_TRUE(IsBeyond(ErrorRule(), Hits(3, 100), {}));
  EXPECT_FALSE(IsBeyond(ErrorRule(), Hits(2, 100), {}));
  EXPECT_TRUE(IsBeyond(BesideControl(0.1), Hits(31, 100), Hits(20, 100)));
  EXPECT_FALSE(IsBeyond(BesideControl(0.1), Hits(29, 100), Hits(20, 100)));
  Rule above{.name = "", .metric = "click", .above = true, .bound = 0.1};
  EXPECT_TRUE(IsBeyond(above, Hits(9, 100), {}));
  EXPECT_FALSE(IsBeyond(above, Hits(11, 100), {}));
}

TEST(DescribeTest, GivesTheFiguresOfTheRule) {
  EXPECT_EQ(Describe(ErrorRule(), Hits(12, 96), {}),
            "0.125 over 96, where 0.02 is the limit");
  Rule latency{
      .name = "", .metric = "latency_ms", .bound = 0.01, .counts_above = 250.0};
  EXPECT_EQ(Describe(latency, Hits(12, 96), {}),
            "0.125 of 96 above 250, where 0.01 may be");
  EXPECT_EQ(Describe(BesideControl(0), Hits(12, 96), Hits(5, 100)),
            "0.125 over 96, the control arm 0.05 over 100");
}

}  // namespace
}  // namespace bandit::guardrails
