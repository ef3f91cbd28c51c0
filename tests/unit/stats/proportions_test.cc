// SPDX-License-Identifier: Apache-2.0
#include "stats/proportions.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"
#include "tests/unit/stats/estimates.h"

namespace bandit::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const Successes kA{540, 5000};
const Successes kB{600, 5000};

// statsmodels 0.13.5: proportion_confint(method="wilson").
TEST(WilsonIntervalTest, MatchesStatsmodels) {
  const Interval i = WilsonInterval(kA, {});
  EXPECT_NEAR(i.low, 0.09969583027538102, 1e-9);
  EXPECT_NEAR(i.high, 0.11690604804954376, 1e-9);
}

TEST(WilsonIntervalTest, IsDefinedForNoneAndAll) {
  const Interval none = WilsonInterval({0, 20}, {});
  EXPECT_EQ(none.low, 0);
  EXPECT_NEAR(none.high, 0.1611251580528194, 1e-12);
  const Interval all = WilsonInterval({20, 20}, {});
  EXPECT_NEAR(all.low, 0.8388748419471804, 1e-12);
  EXPECT_EQ(all.high, 1);
}

TEST(WilsonIntervalTest, KnowsNothingWithoutATrialOrOfNonsense) {
  for (const Successes& s :
       {Successes{0, 0}, Successes{3, 2}, Successes{-1, 2},
        Successes{std::nan(""), 2}, Successes{1, kInfinity}}) {
    EXPECT_EQ(WilsonInterval(s, {}).low, 0);
    EXPECT_EQ(WilsonInterval(s, {}).high, 1);
  }
}

TEST(WilsonIntervalTest, OneSidedBoundIsTheTwoSidedOneAtTwiceAlpha) {
  const Interval two = WilsonInterval(kA, {.alpha = 0.1});
  const Interval up =
      WilsonInterval(kA, {.alpha = 0.05, .alternative = Alternative::kGreater});
  EXPECT_DOUBLE_EQ(up.low, two.low);
  EXPECT_EQ(up.high, 1);
}

// statsmodels 0.13.5: proportions_ztest, confint_proportions_2indep with
// method="newcomb" and, for the ratio, "log".
TEST(ProportionDifferenceTest, MatchesStatsmodels) {
  const Estimate e = ProportionDifference(kA, kB, {});
  EXPECT_NEAR(e.value, 0.012, 1e-15);
  EXPECT_NEAR(e.p, 0.05903763873437832, 1e-12);
  EXPECT_NEAR(e.interval.low, -0.0004619878677441045, 1e-12);
  EXPECT_NEAR(e.interval.high, 0.024468153584937848, 1e-12);
  // Wald's interval is the standard error's.
  EXPECT_NEAR(1.959963984540054 * e.standard_error,
              (0.024455752313013366 + 0.0004557523130133724) / 2, 1e-12);
}

TEST(ProportionLiftTest, MatchesStatsmodels) {
  const Estimate e = ProportionLift(kA, kB, {});
  EXPECT_NEAR(e.value, 1.1111111111111112 - 1, 1e-12);
  EXPECT_NEAR(e.interval.low, 0.9959172375842912 - 1, 1e-12);
  EXPECT_NEAR(e.interval.high, 1.2396290119740783 - 1, 1e-12);
  EXPECT_NEAR(e.p, 0.05903763873437832, 1e-12);
}

// statsmodels 0.15, the same functions.
TEST(ProportionDifferenceTest, IsDefinedForNoneAndAll) {
  const Estimate none = ProportionDifference({0, 20}, {3, 25}, {});
  EXPECT_EQ(none.validity, Validity::kValid);
  EXPECT_NEAR(none.interval.low, -0.05915689189369627, 1e-12);
  EXPECT_NEAR(none.interval.high, 0.2995579392092733, 1e-12);
  const Estimate all = ProportionDifference({20, 20}, {25, 25}, {});
  EXPECT_NEAR(all.interval.low, -0.13319225093904852, 1e-12);
  EXPECT_NEAR(all.interval.high, 0.16112515805281957, 1e-12);
  EXPECT_EQ(all.p, 1);
  EXPECT_EQ(all.standard_error, 0);
  EXPECT_EQ(ProportionDifference({0, 20}, {0, 25}, {}).p, 1);
  EXPECT_LT(ProportionDifference({0, 20}, {25, 25}, {}).p, 1e-9);
}

TEST(ProportionDifferenceTest, SwappedArmsMirrorTheInterval) {
  const Estimate e = ProportionDifference({3, 40}, {9, 31}, {});
  const Estimate swapped = ProportionDifference({9, 31}, {3, 40}, {});
  EXPECT_NEAR(e.interval.low, -swapped.interval.high, 1e-15);
  EXPECT_NEAR(e.interval.high, -swapped.interval.low, 1e-15);
  EXPECT_DOUBLE_EQ(e.p, swapped.p);
}

TEST(ProportionDifferenceTest, OneSidedPsAddUpToOne) {
  const Estimate up =
      ProportionDifference(kA, kB, {.alternative = Alternative::kGreater});
  const Estimate down =
      ProportionDifference(kA, kB, {.alternative = Alternative::kLess});
  EXPECT_NEAR(up.p, 0.05903763873437832 / 2, 1e-12);
  EXPECT_NEAR(up.p + down.p, 1, 1e-14);
  EXPECT_EQ(up.interval.high, kInfinity);
  EXPECT_EQ(down.interval.low, -kInfinity);
}

TEST(ProportionDifferenceTest, RefusesWithTheReason) {
  ExpectNoResult(ProportionDifference({0, 0}, kB, {}), Validity::kTooFew, 0);
  ExpectNoResult(ProportionDifference({5, 2}, kB, {}), Validity::kInvalid, 0);
}

TEST(ProportionLiftTest, RefusesWithTheReason) {
  ExpectNoResult(ProportionLift({0, 20}, kB, {}), Validity::kZeroBaseline, 0);
  ExpectNoResult(ProportionLift(kA, {0, 20}, {}), Validity::kTooFew, -1);
  ExpectNoResult(ProportionLift({9, 9}, {7, 7}, {}), Validity::kNoVariance, 0);
  ExpectNoResult(ProportionLift({0, 0}, kB, {}), Validity::kTooFew, 0);
  ExpectNoResult(ProportionLift(kA, {-1, 20}, {}), Validity::kInvalid, 0);
}

}  // namespace
}  // namespace bandit::stats
