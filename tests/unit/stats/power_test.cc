// SPDX-License-Identifier: Apache-2.0
#include "stats/power.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace bandit::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

PowerPlan Plan(double alpha, double power) {
  return {.test = {.alpha = alpha}, .power = power};
}

// growthbook docs/docs/statistics/power-technical.mdx eq. 4 and 6, scipy 1.10.
TEST(PowerTest, MatchesGrowthbook) {
  const double critical = CriticalValue({}, kInfinity);
  EXPECT_NEAR(Power(0.015, 0.006, critical), 0.7054180011138003, 1e-10);
  EXPECT_NEAR(Power(-0.015, 0.006, critical), 0.7054180011138003, 1e-10);
  EXPECT_NEAR(MinimumDetectableEffect(0.006, {}), 0.01680951130867781, 1e-10);
}

TEST(PowerTest, WithoutAnEffectItIsAlpha) {
  for (Alternative a :
       {Alternative::kTwoSided, Alternative::kGreater, Alternative::kLess}) {
    const TestPlan plan{.alpha = 0.03, .alternative = a};
    EXPECT_NEAR(Power(0, 1, CriticalValue(plan, kInfinity), a), 0.03, 1e-12);
  }
}

TEST(PowerTest, AOneSidedTestSeesItsSideOnly) {
  EXPECT_GT(Power(3, 1, 1.6, Alternative::kGreater), 0.9);
  EXPECT_LT(Power(3, 1, 1.6, Alternative::kLess), 1e-5);
  EXPECT_GT(Power(-3, 1, 1.6, Alternative::kLess), 0.9);
}

// The same document's quadratic for the relative effect.
TEST(MinimumDetectableLiftTest, MatchesGrowthbook) {
  EXPECT_NEAR(MinimumDetectableLift(10, 25, 2000, {}), 0.04531165104271251,
              1e-10);
  EXPECT_NEAR(MinimumDetectableLift(-10, 25, 2000, {}), 0.04531165104271251,
              1e-10);
  EXPECT_EQ(MinimumDetectableLift(0.1, 25, 20, {}), kInfinity);
}

// The lift that it names has a standard error of lift / (z + z).
TEST(MinimumDetectableLiftTest, SolvesItsEquationForUnequalArms) {
  const PowerPlan plan{.treatment_ratio = 0.25};
  const double lift = MinimumDetectableLift(3, 7, 900, plan);
  const double treatment = 3 * (1 + lift);
  const double variance =
      7 / (225 * 9.0) + 7 * treatment * treatment / 81 / 900;
  EXPECT_NEAR(MinimumDetectableEffect(std::sqrt(variance), plan), lift, 1e-12);
}

// scipy 1.10; the t version statsmodels 0.13.5 TTestIndPower. The total of the
// first, 39906 by G*Power, in spotify/confidence test_samplesizecalculator.py.
TEST(UnitsForMeansTest, MatchesScipyAndStatsmodels) {
  EXPECT_NEAR(UnitsForMeans(100, 0.3, Plan(0.05, 0.85)), 19951.9938291487,
              1e-6);
  EXPECT_NEAR(2 * UnitsForMeansByT(100, 0.3, Plan(0.05, 0.85)), 39906, 0.5);
  EXPECT_NEAR(UnitsForMeansByT(1, 0.2, {}), 393.4056930002516, 1e-4);
}

// statsmodels 0.15: TTestIndPower().solve_power.
TEST(UnitsForMeansByTTest, MatchesStatsmodelsForUnequalAndOneSided) {
  PowerPlan plan = Plan(0.05, 0.9);
  plan.treatment_ratio = 2;
  EXPECT_NEAR(UnitsForMeansByT(1, 0.5, plan), 63.691614060374, 1e-5);
  PowerPlan greater = Plan(0.01, 0.7);
  greater.test.alternative = Alternative::kGreater;
  EXPECT_NEAR(UnitsForMeansByT(1, 0.8, greater), 26.788871813236078, 1e-5);
}

TEST(UnitsForMeansTest, EdgesAreSaid) {
  EXPECT_EQ(UnitsForMeans(1, 0, {}), kInfinity);
  EXPECT_EQ(UnitsForMeansByT(1, 0, {}), kInfinity);
  EXPECT_EQ(UnitsForMeans(0, 1, {}), 0);
  EXPECT_EQ(UnitsForMeansByT(1, 1000, {}), 2);
  // Beyond a million units the correction is that of the limit, z^2 / 4.
  const double large = UnitsForMeansByT(1, 0.0035, {});
  EXPECT_NEAR(large - UnitsForMeans(1, 0.0035, {}), 0.96, 0.01);
}

TEST(UnitsForMeansTest, UnequalArmsNeedMore) {
  PowerPlan plan;
  plan.treatment_ratio = 3;
  EXPECT_NEAR(UnitsForMeans(1, 0.1, plan) * 4,
              UnitsForMeans(1, 0.1, {}) * 2 * 4 / 3, 1e-9);
}

// scipy 1.10 and R's power.prop.test, pooled; unequal sizes statsmodels 0.15
// samplesize_proportions_2indep_onetail.
TEST(UnitsForProportionsTest, MatchesPublishedSizes) {
  EXPECT_NEAR(UnitsForProportions(0.1, 0.12, {}), 3840.847482436276, 1e-6);
  EXPECT_NEAR(UnitsForProportions(0.12, 0.1, {}), 3840.847482436276, 1e-6);
  EXPECT_NEAR(UnitsForProportions(0.5, 0.75, Plan(0.05, 0.9)),
              76.70692845177743, 1e-4);
  PowerPlan plan;
  plan.treatment_ratio = 0.5;
  EXPECT_NEAR(UnitsForProportions(0.1, 0.12, plan), 5698.891958181622, 1e-6);
}

// G*Power's totals, quoted by spotify/confidence test_samplesizecalculator.py
// with a tolerance of 0.5 %.
TEST(UnitsForProportionsTest, MatchesGPower) {
  const auto total = [](double effect, double alpha, double power) {
    return 2 * UnitsForProportions(0.34, 0.34 + effect, Plan(alpha, power));
  };
  EXPECT_NEAR(total(0.003, 0.05, 0.85) / 897348, 1, 0.005);
  EXPECT_NEAR(total(0.1, 0.05, 0.85) / 852, 1, 0.005);
  EXPECT_NEAR(total(0.003, 0.14, 0.85) / 630710, 1, 0.005);
  EXPECT_NEAR(total(0.003, 0.14, 0.67) / 366424, 1, 0.005);
}

TEST(UnitsForProportionsTest, EdgesAreSaid) {
  EXPECT_EQ(UnitsForProportions(0.3, 0.3, {}), kInfinity);
  EXPECT_EQ(UnitsForProportions(0, 0, {}), kInfinity);
  EXPECT_TRUE(std::isfinite(UnitsForProportions(0, 0.01, {})));
  EXPECT_TRUE(std::isfinite(UnitsForProportions(1, 0, {})));
}

TEST(DetectableProportionTest, InvertsTheSize) {
  EXPECT_NEAR(DetectableProportion(0.1, 3840.847482436276, {}), 0.02, 1e-9);
  PowerPlan fall;
  fall.test.alternative = Alternative::kLess;
  const double units = UnitsForProportions(0.3, 0.25, fall);
  EXPECT_NEAR(DetectableProportion(0.3, units, fall), -0.05, 1e-9);
}

TEST(DetectableProportionTest, TooFewUnitsDetectNothing) {
  EXPECT_EQ(DetectableProportion(0.9, 3, {}), kInfinity);
  EXPECT_EQ(DetectableProportion(1, 1e9, {}), kInfinity);
  PowerPlan fall;
  fall.test.alternative = Alternative::kLess;
  EXPECT_EQ(DetectableProportion(0.1, 3, fall), -kInfinity);
}

TEST(OptimalControlShareTest, IsHalfForTwoAndAThirdForFive) {
  EXPECT_DOUBLE_EQ(OptimalControlShare(2), 0.5);
  EXPECT_DOUBLE_EQ(OptimalControlShare(5), 1.0 / 3);
}

}  // namespace
}  // namespace bandit::stats
