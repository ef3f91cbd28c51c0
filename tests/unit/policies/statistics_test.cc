// SPDX-License-Identifier: Apache-2.0
#include "policies/statistics.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/policies/arm_sums.h"

namespace bandit::policies {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(StatisticsLayoutTest, BlocksFollowEachOther) {
  constexpr StatisticsLayout kPlain{0};
  EXPECT_EQ(kPlain.size(), 6u);
  constexpr StatisticsLayout kLinear{3};
  EXPECT_EQ(kLinear.gram_size(), 6u);
  EXPECT_EQ(kLinear.response(), 12u);
  EXPECT_EQ(kLinear.size(), 15u);
}

TEST(AccumulateTest, OneObservationFillsEveryBlock) {
  const StatisticsLayout layout{3};
  std::vector<double> v(layout.size());
  const float x[] = {1, 2, -3};
  // y = 5 - 1 = 4, at propensity 1/2.
  Accumulate(layout, 1, {.reward = 5, .propensity = 0.5, .features = x},
             absl::MakeSpan(v));
  EXPECT_THAT(v, ElementsAre(1, 4, 16, 2, 8, 64,  //
                             1, 2, 4, -3, -6, 9,  // x x'
                             5, 10, -15));        // r x, not y x
}

TEST(AccumulateTest, WeightMinusOneTakesAnObservationBack) {
  const StatisticsLayout layout{2};
  std::vector<double> v(layout.size());
  const float x[] = {1, 0.5};
  const Observation kept{.reward = 3, .propensity = 0.25, .features = x};
  Accumulate(layout, 0, kept, absl::MakeSpan(v));
  const std::vector<double> before = v;
  const Observation undone{.reward = -7, .propensity = 0.5, .features = x};
  Accumulate(layout, 0, undone, absl::MakeSpan(v));
  EXPECT_NE(v, before);
  Accumulate(layout, 0, undone, absl::MakeSpan(v), -1);
  EXPECT_EQ(v, before);
}

TEST(AccumulateTest, GramEqualsANaiveLoop) {
  const StatisticsLayout layout{7};
  std::vector<double> v(layout.size());
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal;
  double gram[7][7] = {};
  double response[7] = {};
  for (int n = 0; n < 50; ++n) {
    std::vector<float> x(7);
    for (float& value : x) value = n % 3 == 0 ? 0.0f : normal(random);
    const double reward = normal(random);
    Accumulate(layout, 2, {.reward = reward, .propensity = 1, .features = x},
               absl::MakeSpan(v));
    for (size_t i = 0; i < 7; ++i) {
      response[i] += reward * x[i];
      for (size_t j = 0; j < 7; ++j) {
        gram[i][j] += static_cast<double>(x[i]) * x[j];
      }
    }
  }
  const ArmStatistics arm(layout, 2, v);
  for (size_t i = 0, k = 0; i < 7; ++i) {
    EXPECT_NEAR(arm.response()[i], response[i], 1e-12);
    for (size_t j = 0; j <= i; ++j, ++k) {
      EXPECT_NEAR(arm.gram()[k], gram[i][j], 1e-12);
    }
  }
}

TEST(ArmStatisticsTest, MomentsAreThoseOfTheRewardsWhateverTheCenter) {
  for (double center : {0.0, 3.0, -1e3}) {
    ArmSums sums(1, 0, center);
    for (double r : {2.0, 4.0, 9.0}) sums.Observe(0, r);
    const ArmStatistics arm = sums.view()[0];
    EXPECT_EQ(arm.count(), 3);
    EXPECT_NEAR(arm.sum(), 15, 1e-9);
    EXPECT_NEAR(arm.mean(), 5, 1e-12);
    EXPECT_NEAR(arm.variance(), 13, 1e-8);
  }
}

// A latency around a million with a spread of one: about 0 its variance would
// drown in the squares.
TEST(ArmStatisticsTest, ACenterKeepsTheVarianceOfLargeRewards) {
  ArmSums sums(1, 0, 1e9);
  for (int i = 0; i < 1000; ++i) sums.Observe(0, 1e9 + i % 2);
  EXPECT_NEAR(sums.view()[0].variance(), 0.25 * 1000 / 999, 1e-12);
}

TEST(ArmStatisticsTest, TooFewDecisionsHaveNoMoments) {
  ArmSums sums(2, 0, 4);
  sums.Observe(1, 7);
  EXPECT_EQ(sums.view()[0].mean(), 0);
  EXPECT_EQ(sums.view()[0].sum(), 0);
  EXPECT_EQ(sums.view()[1].mean(), 7);
  EXPECT_EQ(sums.view()[1].variance(), 0);
}

TEST(ArmStatisticsTest, VarianceIsNeverNegative) {
  ArmSums sums(1);
  for (int i = 0; i < 3; ++i) sums.Observe(0, 0.1);
  sums.vector(0)[StatisticsLayout::kSquares] *= 1 - 1e-15;
  EXPECT_EQ(sums.view()[0].variance(), 0);
}

TEST(CheckFiniteTest, NamesTheArm) {
  for (double bad : {std::numeric_limits<double>::infinity(),
                     std::numeric_limits<double>::quiet_NaN()}) {
    ArmSums sums(3, 2);
    EXPECT_TRUE(CheckFinite(sums.view()).ok());
    sums.vector(1).back() = bad;
    const absl::Status status = CheckFinite(sums.view());
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("arm 1"));
  }
}

TEST(PoolTest, PooledMomentsAreThoseOfAllRewardsTogether) {
  ArmSums apart(3, 0, 1);
  ArmSums together(1, 0, 1);
  std::mt19937_64 random(5);
  std::normal_distribution<> normal;
  for (int i = 0; i < 60; ++i) {
    const size_t arm = i % 2;  // Arm 2 stays empty.
    const double reward = normal(random) + 10.0 * static_cast<double>(arm);
    apart.Observe(arm, reward);
    together.Observe(0, reward);
  }
  const PooledRewards pooled = Pool(apart.view());
  EXPECT_EQ(pooled.count, 60);
  EXPECT_NEAR(pooled.mean, together.view()[0].mean(), 1e-12);
  EXPECT_NEAR(pooled.variance, together.view()[0].variance(), 1e-11);
}

TEST(PoolTest, NothingPooledIsZero) {
  const PooledRewards pooled = Pool(ArmSums(2).view());
  EXPECT_EQ(pooled.count, 0);
  EXPECT_EQ(pooled.mean, 0);
  EXPECT_EQ(pooled.variance, 0);
}

}  // namespace
}  // namespace bandit::policies
