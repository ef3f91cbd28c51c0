// SPDX-License-Identifier: Apache-2.0
#include "stats/expected_loss.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "stats/best_arm.h"

namespace bandit::stats {
namespace {

using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Pointwise;

// Successes of trials, with the prior Beta(1, 1).
BetaPosterior Rate(double successes, double trials) {
  return {1 + successes, 1 + trials - successes};
}

TEST(ExpectedLossTest, BetaPairsMatchTheClosedForm) {
  // GrowthBook's gbstats gives 0.03872 and 0.01912, its closed form by scipy.
  EXPECT_THAT(ExpectedLoss({Rate(49, 100), Rate(51, 100)}),
              ElementsAre(DoubleNear(0.03872430433934082, 1e-12),
                          DoubleNear(0.019116461202082297, 1e-12)));
  EXPECT_THAT(ExpectedLoss({Rate(120, 1000), Rate(140, 1000)}),
              ElementsAre(DoubleNear(0.020606268897867486, 1e-12),
                          DoubleNear(0.0006461890576301595, 1e-12)));
  // A prior beside three observations: exactly 1/5 and 1/10.
  EXPECT_THAT(ExpectedLoss({BetaPosterior{1, 1}, BetaPosterior{3, 2}}),
              ElementsAre(DoubleNear(0.2, 1e-12), DoubleNear(0.1, 1e-12)));
}

TEST(ExpectedLossTest, ThreeBetaArmsMatchScipyAndMpmath) {
  EXPECT_THAT(
      ExpectedLoss({Rate(100, 1000), Rate(120, 1000), Rate(130, 1000)}),
      Pointwise(DoubleNear(1e-10), {0.03218066482674811, 0.01222058498642875,
                                    0.0022405450662690563}));
  // mpmath 1.3 quad, 25 digits; the scales differ by ten.
  EXPECT_THAT(
      ExpectedLoss(
          {BetaPosterior{31, 71}, BetaPosterior{2, 2}, BetaPosterior{11, 90}}),
      Pointwise(DoubleNear(1e-12), {0.22118887645374927, 0.02511044508120024,
                                    0.41619955399209134}));
}

TEST(ExpectedLossTest, FourNormalArmsOfDifferentScalesMatchMpmath) {
  // mpmath 1.3 quad, 25 digits.
  EXPECT_THAT(
      ExpectedLoss({NormalPosterior{0, 1}, NormalPosterior{0.5, 1e-6},
                    NormalPosterior{0.4995, 4e-6}, NormalPosterior{-3, 900}}),
      Pointwise(DoubleNear(1e-10), {10.909343248480869, 10.409343248480869,
                                    10.409843248480869, 13.909343248480869}));
}

TEST(ExpectedLossTest, NormalPairsMatchTheClosedForm) {
  const auto cdf = [](double z) {
    return 0.5 * std::erfc(-z / std::numbers::sqrt2);
  };
  for (double gap : {0.0, 0.3, -2.0, 7.0}) {
    for (double scale : {1e-6, 1e-2, 1.0, 1e6}) {
      const double s = std::sqrt(1 + scale * scale);
      const double density = s * std::exp(-0.5 * gap * gap / s / s) /
                             std::sqrt(2 * std::numbers::pi);
      EXPECT_THAT(
          ExpectedLoss(
              {NormalPosterior{gap, 1}, NormalPosterior{0, scale * scale}}),
          ElementsAre(DoubleNear(density - gap * cdf(-gap / s), 1e-11 * s),
                      DoubleNear(density + gap * cdf(gap / s), 1e-11 * s)))
          << gap << " " << scale;
    }
  }
}

// Mean plus loss is E[max], whichever the arm.
TEST(ExpectedLossTest, MeanPlusLossIsTheSameForAllArms) {
  const std::vector<BetaPosterior> arms = {
      {0.05, 0.05}, {300, 701}, {2, 2}, {99991, 11}, {1, 400}};
  const std::vector<double> loss = ExpectedLoss(arms);
  for (size_t i = 0; i < arms.size(); ++i) {
    EXPECT_NEAR(Mean(arms[i]) + loss[i], Mean(arms[0]) + loss[0], 1e-10);
  }
}

// Between arms far apart lies a gap without any density.
TEST(ExpectedLossTest, ArmsFarApartLoseTheirDistance) {
  EXPECT_THAT(ExpectedLoss({NormalPosterior{0, 1}, NormalPosterior{100, 1},
                            NormalPosterior{-1000, 1}}),
              ElementsAre(DoubleNear(100, 1e-9), DoubleNear(0, 1e-12),
                          DoubleNear(1100, 1e-9)));
  const std::vector<double> rates =
      ExpectedLoss({Rate(9e5, 1e6), Rate(1e5, 1e6)});
  EXPECT_NEAR(rates[0], 0, 1e-15);
  EXPECT_NEAR(rates[1], Mean(Rate(9e5, 1e6)) - Mean(Rate(1e5, 1e6)), 1e-12);
}

TEST(ExpectedLossTest, KnownValuesLoseTheirDistance) {
  EXPECT_THAT(ExpectedLoss({NormalPosterior{1, 0}, NormalPosterior{3, 0},
                            NormalPosterior{3, 0}}),
              ElementsAre(DoubleNear(2, 1e-8), DoubleNear(0, 1e-8),
                          DoubleNear(0, 1e-8)));
}

TEST(ExpectedLossTest, EqualKnownValuesLoseNothing) {
  EXPECT_THAT(ExpectedLoss(std::vector<NormalPosterior>(3, {-5, 0})), Each(0));
}

TEST(ExpectedLossTest, OneArmLosesNothing) {
  EXPECT_THAT(ExpectedLoss({BetaPosterior{3, 4}}), Each(0));
  EXPECT_TRUE(ExpectedLoss(absl::Span<const BetaPosterior>()).empty());
  EXPECT_TRUE(ExpectedLoss(absl::Span<const NormalPosterior>()).empty());
}

}  // namespace
}  // namespace bandit::stats
