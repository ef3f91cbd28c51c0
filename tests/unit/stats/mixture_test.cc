// SPDX-License-Identifier: Apache-2.0
#include "stats/mixture.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace bandit::stats {
namespace {

// The digits of confseq's own tests (gostevehoward/confseq
// test/uniform_boundaries_unittest.cpp): S = 10 and V = 100, tuned for 100.
constexpr double kAlpha = 0.05;

TEST(MixtureTest, TwoSidedNormalMatchesConfseq) {
  const double rho = BestRho(100, kAlpha);
  EXPECT_NEAR(rho, 12.60056, 1e-5);
  EXPECT_NEAR(LogNormalMixture(10, 100, rho), -0.6510052, 1e-7);
  EXPECT_NEAR(LogNormalMixture(-10, 100, rho), -0.6510052, 1e-7);
  EXPECT_NEAR(NormalRadius(100, rho, kAlpha), 30.35209, 1e-5);
}

TEST(MixtureTest, OneSidedNormalMatchesConfseq) {
  const double rho = BestRho(100, 2 * kAlpha);
  EXPECT_NEAR(LogOneSidedNormalMixture(10, 100, rho), -0.06502391, 1e-8);
  // There the mixture reaches 1 / alpha.
  EXPECT_NEAR(LogOneSidedNormalMixture(27.66071, 100, rho), std::log(20), 1e-6);
}

TEST(MixtureTest, GammaPoissonMatchesConfseq) {
  const double rho = BestRho(100, 2 * kAlpha);
  EXPECT_NEAR(LogGammaPoissonMixture(10, 100, rho, 2), -0.06991219, 1e-8);
  EXPECT_NEAR(LogGammaPoissonMixture(30.1949, 100, rho, 2), std::log(20), 1e-6);
}

TEST(MixtureTest, TheEvidenceReachesOneOverAlphaAtTheRadius) {
  for (double v : {0.0, 1.0, 1e6}) {
    for (double alpha : {0.2, 0.05, 1e-6}) {
      const double rho = BestRho(1000, alpha);
      EXPECT_NEAR(LogNormalMixture(NormalRadius(v, rho, alpha), v, rho),
                  -std::log(alpha), 1e-9);
    }
  }
}

TEST(MixtureTest, TheClosedOneSidedRadiusIsSafeAndAlmostTight) {
  for (double v : {0.01, 1.0, 100.0, 1e4, 1e8}) {
    for (double alpha : {0.05, 0.01, 1e-4}) {
      const double rho = BestRho(100, 2 * alpha);
      const double radius = OneSidedNormalRadius(v, rho, alpha);
      EXPECT_GE(LogOneSidedNormalMixture(radius, v, rho), -std::log(alpha));
      EXPECT_LT(LogOneSidedNormalMixture(0.98 * radius, v, rho),
                -std::log(alpha));
      EXPECT_NEAR(OneSidedNormalLevel(radius, v, rho), alpha, 1e-12);
    }
  }
  EXPECT_EQ(OneSidedNormalLevel(0, 100, 10), 1);
  EXPECT_EQ(OneSidedNormalLevel(-5, 100, 10), 1);
}

// Nothing underflows where S went the other way.
TEST(MixtureTest, OneSidedNormalFallsSlowlyOnTheOtherSide) {
  const double rho = BestRho(100, 2 * kAlpha);
  const double near =
      LogOneSidedNormalMixture(-30 * std::sqrt(100 + rho), 100, rho);
  const double far =
      LogOneSidedNormalMixture(-60 * std::sqrt(100 + rho), 100, rho);
  EXPECT_LT(near, -3);
  // As 1 / S.
  EXPECT_NEAR(far, near - std::log(2), 1e-3);
}

TEST(MixtureTest, TheLeastRhoIsAtItsOwnVariance) {
  // BestRho's claim, to second order: neighbours are wider.
  const double rho = BestRho(500, kAlpha);
  const double best = NormalRadius(500, rho, kAlpha);
  EXPECT_GT(NormalRadius(500, 1.5 * rho, kAlpha), best);
  EXPECT_GT(NormalRadius(500, rho / 1.5, kAlpha), best);
}

TEST(MixtureTest, GammaPoissonStaysFiniteWhereDataCanBe) {
  const double rho = BestRho(2500, 0.002);
  EXPECT_NEAR(LogGammaPoissonMixture(0, 0, rho, 1), 0, 1e-9);
  EXPECT_TRUE(std::isfinite(LogGammaPoissonMixture(1e6, 1e8, rho, 1)));
  EXPECT_LT(LogGammaPoissonMixture(-1e4, 1e6, rho, 1), -5);
  EXPECT_EQ(LogGammaPoissonMixture(-1e9, 1e6, rho, 1),
            -std::numeric_limits<double>::infinity());
}

TEST(MixtureTest, LogMeanIsThatOfTheNumbers) {
  EXPECT_NEAR(LogMean(std::log(3), std::log(5)), std::log(4), 1e-15);
  EXPECT_NEAR(LogMean(1000, 1000), 1000, 1e-12);
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_NEAR(LogMean(-infinity, 2), 2 - std::log(2), 1e-15);
  EXPECT_EQ(LogMean(infinity, 2), infinity);
  EXPECT_EQ(LogMean(-infinity, -infinity), -infinity);
}

}  // namespace
}  // namespace bandit::stats
