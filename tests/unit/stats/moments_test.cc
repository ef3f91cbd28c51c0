// SPDX-License-Identifier: Apache-2.0
#include "stats/moments.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

namespace bandit::stats {
namespace {

TEST(MomentsTest, MeanAndVarianceOfAFewValues) {
  Moments m;
  for (double v : {2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0}) m.Add(v);
  EXPECT_DOUBLE_EQ(m.mean(), 5);
  EXPECT_DOUBLE_EQ(m.variance(), 32.0 / 7);
}

TEST(MomentsTest, NothingAndOneValueHaveNoVariance) {
  Moments m;
  EXPECT_EQ(m.mean(), 0);
  EXPECT_EQ(m.variance(), 0);
  m.Add(3);
  EXPECT_EQ(m.mean(), 3);
  EXPECT_EQ(m.variance(), 0);
}

// A million values near 1e9 with a spread of 1: squares about 0 would leave
// nothing of it.
TEST(MomentsTest, AnOriginNearTheValuesKeepsTheVariance) {
  Moments near{.origin = 1e9};
  for (int i = 0; i < 1000000; ++i) near.Add(1e9 + (i % 2 == 0 ? 1 : -1));
  EXPECT_DOUBLE_EQ(near.mean(), 1e9);
  EXPECT_NEAR(near.variance(), 1, 2e-6);
}

// 0.1 has no exact binary form: sum and squares round differently.
TEST(MomentsTest, EqualValuesHaveNoVarianceWhateverTheRounding) {
  Moments m;
  for (int i = 0; i < 100000; ++i) m.Add(0.1);
  EXPECT_EQ(m.variance(), 0);
}

TEST(MomentsTest, OverflownSumsDoNotPassForEqualValues) {
  Moments m;
  m.Add(1e200);
  m.Add(-1e200);
  EXPECT_FALSE(std::isfinite(m.variance()));
}

TEST(MomentsTest, MergedIsAsIfAddedToOneWhateverTheOrigins) {
  Moments all{.origin = 3};
  Moments a{.origin = 3};
  Moments b{.origin = -10};
  for (int i = 0; i < 40; ++i) {
    const double v = std::sin(i) * 5 + 2;
    all.Add(v);
    (i % 3 == 0 ? a : b).Add(v);
  }
  a.Merge(b);
  EXPECT_EQ(a.count, all.count);
  EXPECT_EQ(a.origin, 3);
  EXPECT_NEAR(a.mean(), all.mean(), 1e-13);
  EXPECT_NEAR(a.variance(), all.variance(), 1e-12);
}

TEST(MomentsTest, NegatedHasTheNegatedMeanAndTheVariance) {
  Moments m{.origin = 3};
  for (double v : {2.0, 4.0, 9.0}) m.Add(v);
  EXPECT_DOUBLE_EQ(m.Negated().mean(), -5);
  EXPECT_DOUBLE_EQ(m.Negated().variance(), m.variance());
}

TEST(MomentsTest, OfGivesBackMeanAndVariance) {
  const Moments m = Moments::Of(95000, 2.06, 4.2);
  EXPECT_DOUBLE_EQ(m.mean(), 2.06);
  EXPECT_DOUBLE_EQ(m.variance(), 4.2);
}

TEST(CrossMomentsTest, CovarianceOfAFewPairs) {
  CrossMoments m;
  m.Add(1, 2);
  m.Add(2, 4);
  m.Add(3, 9);
  EXPECT_DOUBLE_EQ(m.covariance(), 3.5);
  EXPECT_DOUBLE_EQ(m.x().variance(), 1);
  EXPECT_DOUBLE_EQ(m.y().mean(), 5);
  EXPECT_EQ(CrossMoments().covariance(), 0);
}

TEST(CrossMomentsTest, MergedIsAsIfAddedToOneWhateverTheOrigins) {
  CrossMoments all{.origin_x = 1, .origin_y = 100};
  CrossMoments a = all;
  CrossMoments b{.origin_x = -4, .origin_y = 7};
  for (int i = 0; i < 40; ++i) {
    const double x = std::sin(i) * 5 + 2;
    const double y = 90 + x + std::cos(3 * i);
    all.Add(x, y);
    (i % 3 == 0 ? a : b).Add(x, y);
  }
  a.Merge(b);
  EXPECT_NEAR(a.covariance(), all.covariance(), 1e-11);
  EXPECT_NEAR(a.x().variance(), all.x().variance(), 1e-11);
  EXPECT_NEAR(a.y().variance(), all.y().variance(), 1e-11);
  EXPECT_NEAR(a.y().mean(), all.y().mean(), 1e-12);
}

}  // namespace
}  // namespace bandit::stats
