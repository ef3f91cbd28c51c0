// SPDX-License-Identifier: Apache-2.0
#include "stats/cuped.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "stats/asymptotic_sequence.h"
#include "tests/unit/stats/estimates.h"

namespace bandit::stats {
namespace {

CrossMoments Of(const std::vector<double>& x, const std::vector<double>& y,
                double origin_x = 0, double origin_y = 0) {
  CrossMoments m{.origin_x = origin_x, .origin_y = origin_y};
  for (size_t i = 0; i < x.size(); ++i) m.Add(x[i], y[i]);
  return m;
}

// Ten units an arm; statsmodels 0.13.5, formulas of Deng et al. (2013) and
// growthbook's cuped-technical.mdx.
const std::vector<double> kXControl = {4, 7, 1, 9, 5, 3, 8, 6, 2, 5};
const std::vector<double> kYControl = {5, 8, 2, 9, 7, 3, 9, 6, 3, 5};
const std::vector<double> kXTreatment = {5, 6, 2, 8, 4, 4, 9, 7, 1, 5};
const std::vector<double> kYTreatment = {7, 8, 4, 10, 6, 5, 11, 9, 3, 7};

CupedComparison Compare(const CrossMoments& control,
                        const CrossMoments& treatment) {
  return CompareCuped(control, treatment, CupedTheta({control, treatment}), {});
}

TEST(CupedTest, MatchesTheSmallExample) {
  const CupedComparison c =
      Compare(Of(kXControl, kYControl), Of(kXTreatment, kYTreatment));
  EXPECT_NEAR(c.theta, 0.9888841385207353, 1e-12);
  EXPECT_NEAR(c.difference.value, 1.2011115861479267, 1e-10);
  EXPECT_NEAR(c.difference.standard_error, 0.23504619328934487, 1e-10);
  EXPECT_NEAR(c.variance_reduction, 0.9578983559002279, 1e-10);
  EXPECT_NEAR(c.lift.value, 0.21072133090314502, 1e-10);
  EXPECT_NEAR(c.lift.standard_error, 0.05481220395227544, 1e-10);
}

TEST(CupedTest, OriginsChangeNothing) {
  const CupedComparison c = Compare(Of(kXControl, kYControl, 4, -2),
                                    Of(kXTreatment, kYTreatment, 1, 7));
  EXPECT_NEAR(c.theta, 0.9888841385207353, 1e-12);
  EXPECT_NEAR(c.difference.standard_error, 0.23504619328934487, 1e-10);
  EXPECT_NEAR(c.lift.standard_error, 0.05481220395227544, 1e-10);
}

// growthbook test_tests.py::test_sequential_test_runs_ra, with its confidence
// sequence planned for 5000 units.
TEST(CupedTest, MatchesGrowthbooksRegressionAdjustment) {
  const CrossMoments a{.count = 3000,
                       .sum_x = 16.87,
                       .sum_y = 1396.87,
                       .xx = 527.9767,
                       .yy = 52377.9767,
                       .xy = 1};
  const CrossMoments b{.count = 3461,
                       .sum_x = 22.7,
                       .sum_y = 2422.7,
                       .xx = 1348.29,
                       .yy = 134698.29,
                       .xy = 1};
  const CupedComparison c = Compare(a, b);
  EXPECT_NEAR(c.theta, -0.011403222553755095, 1e-12);
  EXPECT_NEAR(c.lift.value, 0.50338, 2e-5);
  EXPECT_NEAR(c.lift.standard_error, 0.33341, 2e-5);
  const AnytimeEstimate anytime =
      AsymptoticSequence(c.lift.value, c.lift.standard_error, 6461, {});
  EXPECT_NEAR(anytime.interval.low, -0.50969, 2e-5);
  EXPECT_NEAR(anytime.interval.high, 1.51646, 2e-5);
}

// With theta 0 it is Welch and the plain lift.
TEST(CupedTest, WithoutACovariateItIsThePlainComparison) {
  const CrossMoments control = Of(kXControl, kYControl);
  const CrossMoments treatment = Of(kXTreatment, kYTreatment);
  const CupedComparison c = CompareCuped(control, treatment, 0, {});
  const MeanPair plain{.control = MeanOf(control.y()),
                       .treatment = MeanOf(treatment.y())};
  EXPECT_NEAR(c.difference.standard_error, 1.1455226851626388, 1e-12);
  EXPECT_NEAR(c.difference.p, Difference(plain, {}).p, 1e-12);
  EXPECT_NEAR(c.lift.standard_error, DeltaLift(plain, {}).standard_error,
              1e-12);
  EXPECT_NEAR(c.variance_reduction, 0, 1e-15);
}

TEST(CupedTest, ACovariateThatDoesNotVaryAdjustsNothing) {
  const std::vector<double> constant(10, 3.3);
  EXPECT_EQ(CupedTheta({Of(constant, kYControl), Of(constant, kYTreatment)}),
            0);
  EXPECT_EQ(CupedTheta({}), 0);
}

TEST(CupedTest, AdjustedMeansStayOnTheMetricsScale) {
  const CupedComparison c =
      Compare(Of(kXControl, kYControl), Of(kXTreatment, kYTreatment));
  // Covariate means 5 and 5.1, center 5.05.
  EXPECT_NEAR(c.means.control.mean, 5.7 + c.theta * 0.05, 1e-12);
  EXPECT_NEAR(c.means.treatment.mean, 7 - c.theta * 0.05, 1e-12);
}

TEST(CupedTest, RefusesWithTheReason) {
  const CrossMoments good = Of(kXControl, kYControl);
  const Estimate one = Compare(good, Of({1}, {2})).difference;
  ExpectNoResult(one, Validity::kTooFew, one.value);
  EXPECT_EQ(Compare(good, {}).difference.validity, Validity::kTooFew);
  EXPECT_EQ(Compare(good, Of({1, 2}, {1e200, 3})).difference.validity,
            Validity::kInvalid);
  // The metric is the covariate: all is explained.
  EXPECT_EQ(Compare(Of(kXControl, kXControl), Of(kXTreatment, kXTreatment))
                .difference.validity,
            Validity::kNoVariance);
  // A control whose mean may be 0 has a difference and no lift.
  const CupedComparison weak =
      Compare(Of(kXControl, {-5, 8, -2, 9, -7, 3, -9, 6, -3, 5}),
              Of(kXTreatment, kYTreatment));
  EXPECT_EQ(weak.difference.validity, Validity::kValid);
  ExpectNoResult(weak.lift, Validity::kZeroBaseline, 0);
}

TEST(AdjustBucketsTest, IsTheAdjustmentOfTheValues) {
  const std::vector<BucketSums> y = {{2, 7}, {1, 1}, {0, 0}};
  const std::vector<BucketSums> x = {{2, 3}, {1, 4}, {0, 0}};
  const std::vector<BucketSums> adjusted = AdjustBuckets(y, x, 0.5, 2);
  EXPECT_DOUBLE_EQ(adjusted[0].sum, 7 - 0.5 * (3 - 4));
  EXPECT_DOUBLE_EQ(adjusted[1].sum, 1 - 0.5 * (4 - 2));
  EXPECT_EQ(adjusted[2].sum, 0);
  EXPECT_EQ(adjusted[0].count, 2);
}

}  // namespace
}  // namespace bandit::stats
