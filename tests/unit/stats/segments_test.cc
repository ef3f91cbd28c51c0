// SPDX-License-Identifier: Apache-2.0
#include "stats/segments.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/stats/estimates.h"

namespace bandit::stats {
namespace {

// statsmodels 0.13.5, scipy 1.10.1.
const std::vector<Effect> kEffects = {
    {0.05, 0.02}, {0.02, 0.015}, {0.08, 0.03}, {-0.01, 0.02}};

TEST(HeterogeneityTest, MatchesStatsmodels) {
  const Heterogeneity h = TestHeterogeneity(kEffects);
  EXPECT_EQ(h.validity, Validity::kValid);
  EXPECT_NEAR(h.pooled, 0.026315789473684213, 1e-12);
  EXPECT_NEAR(h.pooled_error, 0.009733285267845752, 1e-12);
  EXPECT_NEAR(h.q, 8.078947368421053, 1e-10);
  EXPECT_NEAR(h.p, 0.04440797016699438, 1e-10);
  EXPECT_NEAR(h.i_squared, 0.6286644951140066, 1e-10);
}

TEST(HeterogeneityTest, UnusableEffectsAreLeftOut) {
  std::vector<Effect> effects = kEffects;
  effects.push_back({7, 0});
  effects.push_back({7, std::nan("")});
  effects.push_back({std::nan(""), 1});
  effects.push_back({7, -1});
  EXPECT_EQ(TestHeterogeneity(effects).count, 4);
  EXPECT_DOUBLE_EQ(TestHeterogeneity(effects).q, TestHeterogeneity(kEffects).q);
}

TEST(HeterogeneityTest, OneEffectDiffersFromNothing) {
  const Heterogeneity one = TestHeterogeneity({{0.05, 0.02}});
  EXPECT_EQ(one.validity, Validity::kTooFew);
  EXPECT_EQ(one.p, 1);
  EXPECT_DOUBLE_EQ(one.pooled, 0.05);
  EXPECT_DOUBLE_EQ(one.pooled_error, 0.02);
  EXPECT_EQ(TestHeterogeneity({}).p, 1);
}

TEST(HeterogeneityTest, EqualEffectsHaveNoHeterogeneity) {
  const Heterogeneity h = TestHeterogeneity({{0.3, 0.1}, {0.3, 0.2}});
  EXPECT_NEAR(h.q, 0, 1e-28);
  EXPECT_NEAR(h.p, 1, 1e-12);
  EXPECT_EQ(h.i_squared, 0);
}

TEST(HeterogeneityTest, TinyErrorsDoNotOverflow) {
  const Heterogeneity h =
      TestHeterogeneity({{1e-200, 1e-200}, {3e-200, 1e-200}});
  EXPECT_NEAR(h.q, 2, 1e-12);
  EXPECT_NEAR(h.pooled / 2e-200, 1, 1e-12);
}

MeanPair Pair(double units, double control, double treatment) {
  return {.control = MeanOf(Moments::Of(units, control, 1)),
          .treatment = MeanOf(Moments::Of(units, treatment, 1))};
}

TEST(CompareSegmentsTest, TestsAreAdjustedAndSmallSegmentsHidden) {
  const SegmentReport report =
      CompareSegments({Pair(1000, 1, 1.2), Pair(99, 1, 9), Pair(1000, 1, 1.0),
                       Pair(500, 1, 1.1)},
                      {});
  ASSERT_EQ(report.segments.size(), 4u);
  ExpectNoResult(report.segments[1].difference, Validity::kTooFew, 8);
  EXPECT_EQ(report.segments[1].adjusted_p, 1);
  // Three tests, not four.
  EXPECT_NEAR(report.segments[0].adjusted_p,
              3 * report.segments[0].difference.p, 1e-15);
  EXPECT_NEAR(report.segments[2].adjusted_p, report.segments[2].difference.p,
              1e-15);
  EXPECT_EQ(report.heterogeneity.count, 3);
  // Differences 0.2, 0 and 0.1 with weights 500, 500 and 250: Q is 10, and the
  // chi-square of two degrees of freedom has a closed form.
  EXPECT_NEAR(report.heterogeneity.q, 10, 1e-9);
  EXPECT_NEAR(report.heterogeneity.p, std::exp(-5), 1e-12);
}

TEST(CompareSegmentsTest, ASegmentWithoutAResultKeepsItsReason) {
  const SegmentReport report =
      CompareSegments({{.control = MeanOf(Moments::Of(500, 1, 0)),
                        .treatment = MeanOf(Moments::Of(500, 2, 1))},
                       Pair(1000, 1, 1.2)},
                      {});
  ExpectNoResult(report.segments[0].difference, Validity::kNoVariance, 1);
  EXPECT_EQ(report.heterogeneity.validity, Validity::kTooFew);
}

}  // namespace
}  // namespace bandit::stats
