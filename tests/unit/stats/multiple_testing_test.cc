// SPDX-License-Identifier: Apache-2.0
#include "stats/multiple_testing.h"

#include <cmath>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::stats {
namespace {

using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Pointwise;

// statsmodels 0.13.5: multipletests.
const std::vector<double> kP = {0.001, 0.008, 0.039, 0.041,
                                0.042, 0.06,  0.074, 0.205};

TEST(MultipleTestingTest, MatchesStatsmodels) {
  EXPECT_THAT(Bonferroni(kP),
              Pointwise(DoubleNear(1e-12),
                        {0.008, 0.064, 0.312, 0.328, 0.336, 0.48, 0.592, 1.0}));
  EXPECT_THAT(Holm(kP),
              Pointwise(DoubleNear(1e-12), {0.008, 0.056, 0.234, 0.234, 0.234,
                                            0.234, 0.234, 0.234}));
  EXPECT_THAT(
      BenjaminiHochberg(kP),
      Pointwise(DoubleNear(1e-12), {0.008, 0.032, 0.0672, 0.0672, 0.0672, 0.08,
                                    0.08457142857142856, 0.205}));
  EXPECT_THAT(BenjaminiYekutieli(kP),
              Pointwise(DoubleNear(1e-12),
                        {0.02174285714285714, 0.08697142857142856, 0.18264,
                         0.18264, 0.18264, 0.21742857142857142,
                         0.22985306122448976, 0.5571607142857142}));
}

// growthbook's segment example: the same tests in another order.
TEST(MultipleTestingTest, ResultsKeepTheOrderOfTheTests) {
  EXPECT_THAT(
      BenjaminiHochberg({0.012419330651552265, 0.18242243945173564,
                         0.007660761135179457, 0.6170750774519738}),
      Pointwise(DoubleNear(1e-12), {0.02483866130310453, 0.24322991926898085,
                                    0.02483866130310453, 0.6170750774519738}));
  EXPECT_THAT(Holm({0.9, 0.01, 0.02}),
              Pointwise(DoubleNear(1e-12), {0.9, 0.03, 0.04}));
}

TEST(MultipleTestingTest, OneTestNeedsNoAdjustment) {
  EXPECT_THAT(Holm({0.03}), ElementsAre(0.03));
  EXPECT_THAT(BenjaminiHochberg({0.03}), ElementsAre(0.03));
  EXPECT_THAT(BenjaminiYekutieli({0.03}), ElementsAre(0.03));
}

TEST(MultipleTestingTest, NoTestsGiveNoResults) {
  EXPECT_TRUE(Holm({}).empty());
  EXPECT_TRUE(Bonferroni({}).empty());
  EXPECT_TRUE(BenjaminiHochberg({}).empty());
  EXPECT_TRUE(BenjaminiYekutieli({}).empty());
}

// A test without a result still counts as one that was looked at.
TEST(MultipleTestingTest, ATestWithoutAResultCountsAsOne) {
  const std::vector<double> p = {0.01, std::nan(""), -3, 7};
  EXPECT_THAT(Holm(p), ElementsAre(DoubleNear(0.04, 1e-15), 1, 1, 1));
  EXPECT_THAT(BenjaminiHochberg(p),
              ElementsAre(DoubleNear(0.04, 1e-15), 1, 1, 1));
  EXPECT_THAT(Bonferroni(p), ElementsAre(DoubleNear(0.04, 1e-15), 1, 1, 1));
}

TEST(MultipleTestingTest, ZeroStaysZeroAndOneStaysOne) {
  EXPECT_THAT(Holm({0, 0, 0}), Each(0));
  EXPECT_THAT(BenjaminiYekutieli({1, 1, 1}), Each(1));
}

}  // namespace
}  // namespace bandit::stats
