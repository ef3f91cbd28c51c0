// SPDX-License-Identifier: Apache-2.0
#include "stats/estimate.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"
#include "tests/unit/stats/estimates.h"

namespace bandit::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(InferTest, IntervalAndPAgreeAtTheirBorder) {
  for (Alternative alternative :
       {Alternative::kTwoSided, Alternative::kGreater}) {
    const TestPlan plan{.alpha = 0.03, .alternative = alternative};
    const double critical = CriticalValue(plan, 12);
    const Estimate e = Infer(critical * 0.5, 0.5, 12, plan);
    EXPECT_NEAR(e.interval.low, 0, 1e-14);
    EXPECT_NEAR(e.p, 0.03, 1e-14);
  }
}

TEST(InferTest, OneSidedIntervalsAreOpenOnTheOtherSide) {
  const Estimate greater =
      Infer(2, 1, kInfinity, {.alternative = Alternative::kGreater});
  EXPECT_EQ(greater.interval.high, kInfinity);
  EXPECT_NEAR(greater.interval.low, 2 - 1.6448536269514722, 1e-12);
  EXPECT_NEAR(greater.p, 0.022750131948179195, 1e-14);
  const Estimate less =
      Infer(2, 1, kInfinity, {.alternative = Alternative::kLess});
  EXPECT_EQ(less.interval.low, -kInfinity);
  EXPECT_NEAR(less.p, 1 - 0.022750131948179195, 1e-14);
}

TEST(InferTest, WhatIsNotKnownDecidesNothing) {
  ExpectNoResult(Infer(2, 0, 5, {}), Validity::kNoVariance, 2);
  ExpectNoResult(Infer(2, 1, 0, {}), Validity::kTooFew, 2);
  ExpectNoResult(Infer(kNan, 1, 5, {}), Validity::kInvalid, 0);
  ExpectNoResult(Infer(2, kInfinity, 5, {}), Validity::kInvalid, 0);
  ExpectNoResult(Infer(2, -1, 5, {}), Validity::kInvalid, 0);
  ExpectNoResult(Infer(2, 1, kNan, {}), Validity::kInvalid, 0);
}

TEST(InferTest, FarOutPIsTinyNotZero) {
  EXPECT_GT(Infer(30, 1, kInfinity, {}).p, 0);
  EXPECT_LT(Infer(30, 1, kInfinity, {}).p, 1e-190);
}

TEST(MeanOfTest, TellsWhatIsMissing) {
  EXPECT_EQ(MeanOf({}).validity, Validity::kTooFew);
  Moments m;
  m.Add(7);
  EXPECT_EQ(MeanOf(m).validity, Validity::kTooFew);
  EXPECT_EQ(MeanOf(m).mean, 7);
  m.Add(7);
  EXPECT_EQ(MeanOf(m).validity, Validity::kNoVariance);
  m.Add(10);
  EXPECT_EQ(MeanOf(m).validity, Validity::kValid);
  EXPECT_DOUBLE_EQ(MeanOf(m).variance, 1);
  EXPECT_EQ(MeanOf(m).dof, 2);
  m.Add(1e200);
  EXPECT_EQ(MeanOf(m).validity, Validity::kInvalid);
  EXPECT_EQ(MeanOf({.count = 5, .sum = kNan, .squares = 3}).validity,
            Validity::kInvalid);
}

TEST(MeanOfTest, AnInvalidMeanGivesNoInterval) {
  Moments m;
  m.Add(7);
  ExpectNoResult(Infer(MeanOf(m), {}), Validity::kTooFew, 7);
  m.Add(9);
  // scipy 1.17: t.interval(.95, 1, 8, 1).
  const Estimate e = Infer(MeanOf(m), {});
  EXPECT_NEAR(e.interval.low, 8 - 12.706204736174694, 1e-10);
  EXPECT_NEAR(e.interval.high, 8 + 12.706204736174694, 1e-10);
}

TEST(DescribeTest, EveryReasonHasItsWords) {
  for (Validity v : {Validity::kValid, Validity::kTooFew, Validity::kNoVariance,
                     Validity::kZeroBaseline, Validity::kInvalid}) {
    EXPECT_FALSE(Describe(v).empty());
    EXPECT_NE(Describe(v), "unknown");
  }
}

}  // namespace
}  // namespace bandit::stats
