// SPDX-License-Identifier: Apache-2.0
#include "stats/comparison.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"
#include "tests/unit/stats/estimates.h"

namespace bandit::stats {
namespace {

MeanPair Pair(const Moments& control, const Moments& treatment) {
  return {.control = MeanOf(control), .treatment = MeanOf(treatment)};
}

// growthbook packages/stats/tests/frequentist/test_tests.py,
// test_two_sided_ttest and test_two_sided_ttest_absolute (5 digits); the
// further digits by scipy 1.10.
const Moments kGrowthbookA{3407, 1396.87, 52377.9767};
const Moments kGrowthbookB{3461, 2422.7, 134698.29};

TEST(DifferenceTest, MatchesGrowthbooksWelch) {
  const Estimate e = Difference(Pair(kGrowthbookA, kGrowthbookB), {});
  EXPECT_EQ(e.validity, Validity::kValid);
  EXPECT_NEAR(e.value, 0.29, 1e-5);
  EXPECT_NEAR(e.standard_error, 0.12478, 1e-5);
  EXPECT_NEAR(e.dof, 5841.742032093565, 1e-6);
  EXPECT_NEAR(e.p, 0.020158402643586957, 1e-12);
  EXPECT_NEAR(e.interval.low, 0.04537789255929009, 1e-10);
  EXPECT_NEAR(e.interval.high, 0.5346221074407098, 1e-10);
}

// TestOneSidedGreaterTTest::test_one_sided_ttest_absolute of the same file.
TEST(DifferenceTest, MatchesGrowthbooksOneSidedWelch) {
  const Moments a{3000, 1396.87, 52377.9767};
  const TestPlan plan{.alternative = Alternative::kGreater};
  const Estimate e = Difference(Pair(a, kGrowthbookB), plan);
  EXPECT_NEAR(e.value, 0.23437666666666668, 1e-9);
  EXPECT_NEAR(e.standard_error, 0.12983081254184736, 1e-9);
  EXPECT_NEAR(e.p, 0.03554272489873023, 1e-9);
  EXPECT_NEAR(e.interval.low, 0.020791480063255735, 1e-9);
}

// scipy 1.10.1: ttest_ind_from_stats(5.21, 2.13, 120, 4.87, 1.78, 95,
// equal_var=False).
TEST(DifferenceTest, MatchesScipysWelch) {
  const Estimate e = Difference(Pair(Moments::Of(95, 4.87, 1.78 * 1.78),
                                     Moments::Of(120, 5.21, 2.13 * 2.13)),
                                {});
  EXPECT_NEAR(e.value / e.standard_error, 1.274570193274561, 1e-10);
  EXPECT_NEAR(e.p, 0.2038543378796669, 1e-10);
}

// spotify/confidence tests/frequentist/test_ttest.py, to its own tolerance of
// 1 %, and scipy's Welch for the sums it gives.
TEST(DifferenceTest, MatchesSpotifysExample) {
  const Estimate e = Difference(
      Pair({48351, 1438602, 73305810}, {50571, 1521974, 78621210}), {});
  EXPECT_NEAR(e.p, 0.03334, 0.01 * 0.03334);
  EXPECT_NEAR(e.p, 0.03326387389489058, 1e-10);
}

TEST(DifferenceTest, CovarianceAndDegreesOfFreedomComeFromThePair) {
  MeanPair pair = Pair(Moments::Of(50, 1, 4), Moments::Of(50, 2, 4));
  pair.covariance = 0.03;
  pair.dof = 17;
  const Estimate e = Difference(pair, {});
  EXPECT_NEAR(e.standard_error, std::sqrt(0.08 + 0.08 - 0.06), 1e-15);
  EXPECT_EQ(e.dof, 17);
  // Means that move together completely differ without doubt.
  pair.covariance = 0.08;
  ExpectNoResult(Difference(pair, {}), Validity::kNoVariance, 1);
}

TEST(DifferenceTest, RefusesWithTheReason) {
  const Moments good = Moments::Of(50, 1, 4);
  Moments one;
  one.Add(3);
  Moments equal = one;
  equal.Add(3);
  Moments overflown = equal;
  overflown.Add(1e200);
  ExpectNoResult(Difference(Pair(good, {}), {}), Validity::kTooFew, 0);
  ExpectNoResult(Difference(Pair(good, one), {}), Validity::kTooFew, 2);
  ExpectNoResult(Difference(Pair(one, good), {}), Validity::kTooFew, -2);
  ExpectNoResult(Difference(Pair(equal, good), {}), Validity::kNoVariance, -2);
  ExpectNoResult(Difference(Pair(equal, one), {}), Validity::kTooFew, 0);
  ExpectNoResult(Difference(Pair(good, overflown), {}), Validity::kInvalid, 0);
  ExpectNoResult(Difference(Pair({}, {}), {}), Validity::kTooFew, 0);
}

// Not worse by 0.01: the one-sided test of the difference plus that margin.
// scipy 1.10; harm, a difference below 0, is the other side.
TEST(DifferenceTest, NonInferiorityIsTheShiftedOneSidedTest) {
  constexpr double kNormal = std::numeric_limits<double>::infinity();
  constexpr double kDifference = -0.004;
  constexpr double kError = 0.003;
  const Estimate safe = Infer(kDifference + 0.01, kError, kNormal,
                              {.alternative = Alternative::kGreater});
  EXPECT_NEAR(safe.value / safe.standard_error, 2, 1e-12);
  EXPECT_NEAR(safe.p, 0.02275013194817921, 1e-12);
  EXPECT_NEAR(safe.interval.low - 0.01, -0.008934560880854417, 1e-12);
  const Estimate harm =
      Infer(kDifference, kError, kNormal, {.alternative = Alternative::kLess});
  EXPECT_NEAR(harm.p, 0.18242243945173575 / 2, 1e-12);
}

TEST(DifferenceTest, TinyVariancesDoNotUnderflow) {
  const Estimate e = Difference(
      Pair(Moments::Of(10, 0, 1e-200), Moments::Of(10, 1e-100, 1e-200)), {});
  EXPECT_EQ(e.validity, Validity::kValid);
  EXPECT_NEAR(e.dof, 18, 1e-9);
}

TEST(DeltaLiftTest, MatchesGrowthbook) {
  const Estimate e = DeltaLift(Pair(kGrowthbookA, kGrowthbookB), {});
  EXPECT_NEAR(e.value, 0.70732, 1e-5);
  EXPECT_NEAR(e.standard_error, 0.37879, 1e-5);
  EXPECT_NEAR(e.p, 0.06191, 1e-5);
  EXPECT_NEAR(e.interval.low, -0.03526, 1e-5);
  EXPECT_NEAR(e.interval.high, 1.44989, 1e-5);
}

// growthbook test_two_sided_ttest_binom: the same on 14/28 against 16/30,
// variance p (1 - p).
TEST(DeltaLiftTest, MatchesGrowthbooksProportions) {
  const auto share = [](double x, double n) {
    return MeanOf(Moments::Of(n, x / n, x / n * (1 - x / n)));
  };
  const Estimate e =
      DeltaLift({.control = share(14, 28), .treatment = share(16, 30)}, {});
  EXPECT_NEAR(e.value, 0.06667, 1e-5);
  EXPECT_NEAR(e.standard_error, 0.2717, 1e-5);
  EXPECT_NEAR(e.p, 0.80707, 1e-5);
  EXPECT_NEAR(e.interval.low, -0.47767, 1e-5);
  EXPECT_NEAR(e.interval.high, 0.61101, 1e-5);
}

// A holdout against everything shipped: scipy 1.10.1.
TEST(DeltaLiftTest, MatchesTheHoldoutExample) {
  const Estimate e = DeltaLift(
      Pair(Moments::Of(5000, 2, 4), Moments::Of(95000, 2.06, 4.2)), {});
  EXPECT_NEAR(e.value, 0.03, 1e-12);
  EXPECT_NEAR(e.standard_error, 0.014940971574129554, 1e-12);
  EXPECT_NEAR(e.dof, 5565.893602201734, 1e-6);
  EXPECT_NEAR(e.p, 0.04470199044951678, 1e-10);
}

// From -10 to -5 is a rise.
TEST(DeltaLiftTest, ARiseFromANegativeBaselineIsPositive) {
  const Estimate e =
      DeltaLift(Pair(Moments::Of(100, -10, 4), Moments::Of(100, -5, 4)), {});
  const Estimate mirrored =
      DeltaLift(Pair(Moments::Of(100, 10, 4), Moments::Of(100, 5, 4)), {});
  EXPECT_DOUBLE_EQ(e.value, 0.5);
  EXPECT_DOUBLE_EQ(e.standard_error, mirrored.standard_error);
  EXPECT_GT(e.interval.low, 0);
}

TEST(DeltaLiftTest, AZeroBaselineRefusesTheLiftAndKeepsTheDifference) {
  Moments control;
  control.Add(-1);
  control.Add(1);
  const MeanPair pair = Pair(control, Moments::Of(20, 1, 1));
  ExpectNoResult(DeltaLift(pair, {}), Validity::kZeroBaseline, 0);
  ExpectNoResult(FiellerLift(pair, {}), Validity::kZeroBaseline, 0);
  EXPECT_EQ(Difference(pair, {}).validity, Validity::kValid);
}

// The quadratic solved in Python, t quantile by scipy 1.17.
TEST(FiellerLiftTest, MatchesTheSolvedQuadratic) {
  const Estimate e =
      FiellerLift(Pair(Moments::Of(20, 1.2, 4), Moments::Of(25, 2.1, 5)), {});
  EXPECT_NEAR(e.dof, 42.41860465116279, 1e-10);
  EXPECT_NEAR(e.interval.low, -0.20876604606094995, 1e-10);
  EXPECT_NEAR(e.interval.high, 6.260587506140533, 1e-9);
  EXPECT_NEAR(e.p, 0.1620423482629294, 1e-12);
}

TEST(FiellerLiftTest, MirroredBaselineMirrorsTheInterval) {
  const Estimate up =
      FiellerLift(Pair(Moments::Of(20, 1.2, 4), Moments::Of(25, 2.1, 5)), {});
  const Estimate down =
      FiellerLift(Pair(Moments::Of(20, -1.2, 4), Moments::Of(25, -2.1, 5)), {});
  EXPECT_NEAR(down.value, -up.value, 1e-15);
  EXPECT_NEAR(down.interval.low, -up.interval.high, 1e-12);
  EXPECT_NEAR(down.interval.high, -up.interval.low, 1e-12);
}

// The interval leaves 0 out exactly where the difference is significant.
TEST(FiellerLiftTest, IntervalAgreesWithTheTestOfTheDifference) {
  for (double treatment = -3; treatment < 5; treatment += 0.05) {
    const MeanPair pair =
        Pair(Moments::Of(20, 1.2, 4), Moments::Of(25, treatment, 5));
    const Estimate e = FiellerLift(pair, {});
    const bool outside = e.interval.low > 0 || e.interval.high < 0;
    EXPECT_EQ(outside, Difference(pair, {}).p < 0.05) << treatment;
  }
}

TEST(FiellerLiftTest, ABaselineThatMayBeZeroHasNoBoundedInterval) {
  ExpectNoResult(
      FiellerLift(Pair(Moments::Of(20, 0.5, 4), Moments::Of(25, 2, 5)), {}),
      Validity::kZeroBaseline, 3);
}

// The border at which the control's mean is four standard errors from 0.
TEST(LiftTest, ChoosesByTheStrengthOfTheBaseline) {
  const Moments treatment = Moments::Of(100, 3, 4);
  EXPECT_EQ(Lift(Pair(Moments::Of(100, 0.81, 4), treatment), {}).method,
            LiftMethod::kDelta);
  EXPECT_EQ(Lift(Pair(Moments::Of(100, 0.79, 4), treatment), {}).method,
            LiftMethod::kFieller);
  EXPECT_EQ(Lift(Pair(Moments::Of(100, -0.81, 4), treatment), {}).method,
            LiftMethod::kDelta);
}

// Where both are good they agree.
TEST(LiftTest, MethodsMeetAtAStrongBaseline) {
  const MeanPair pair = Pair(Moments::Of(1e6, 10, 4), Moments::Of(1e6, 11, 4));
  const Estimate delta = DeltaLift(pair, {});
  const Estimate fieller = FiellerLift(pair, {});
  EXPECT_NEAR(delta.interval.low, fieller.interval.low, 1e-6);
  EXPECT_NEAR(delta.interval.high, fieller.interval.high, 1e-6);
}

}  // namespace
}  // namespace bandit::stats
