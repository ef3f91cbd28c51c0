// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "policies/posterior.h"
#include "tests/unit/policies/arm_sums.h"

namespace bandit::policies {
namespace {

using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::Pointwise;

std::unique_ptr<const Policy> Make(
    size_t arms, RewardKind kind,
    const std::map<std::string, double>& parameters = {}) {
  Problem problem;
  problem.arms = arms;
  problem.reward = kind;
  return MakePolicy("thompson", problem, parameters).value();
}

TEST(PosteriorTest, BetaUpdateMatchesTheCountingRule) {
  // thompson_beta_update: (1, 1) + [1, 0, 0, 1, 1] gives Beta(4, 3), mean
  // 0.5714285714285714.
  const stats::BetaPosterior p = UpdateBeta(1, 1, 5, 3);
  EXPECT_EQ(p.a, 4);
  EXPECT_EQ(p.b, 3);
  EXPECT_NEAR(p.a / (p.a + p.b), 0.5714285714285714, 1e-12);
}

// Seldon's routers take int(reward * n): 0.9 of one decision is a failure
// there.
TEST(PosteriorTest, FractionalRewardsAreKept) {
  const stats::BetaPosterior p = UpdateBeta(1, 1, 1, 0.9);
  EXPECT_DOUBLE_EQ(p.a, 1.9);
  EXPECT_DOUBLE_EQ(p.b, 1.1);
}

TEST(PosteriorTest, SumsThatNoBinaryRewardsHaveAreClipped) {
  EXPECT_EQ(UpdateBeta(1, 2, 5, -1e30).a, 1);
  EXPECT_EQ(UpdateBeta(1, 2, 5, -1e30).b, 7);
  EXPECT_EQ(UpdateBeta(1, 2, 5, 9).a, 6);
  EXPECT_EQ(UpdateBeta(1, 2, 5, 9).b, 2);
}

TEST(PosteriorTest, NormalUpdateMatchesGrowthBook) {
  // thompson_gaussian_posterior: the formula of gbstats/bayesian/bandits.py,
  // prior N(0, 1e4), n = 220, sum 770, squares 3571 (sample variance 4).
  ArmSums sums(1);
  sums.vector(0)[StatisticsLayout::kCount] = 220;
  sums.vector(0)[StatisticsLayout::kSum] = 770;
  sums.vector(0)[StatisticsLayout::kSquares] = 3571;
  const ArmStatistics arm = sums.view()[0];
  const stats::NormalPosterior p =
      UpdateNormal(0, 1e4, arm.count(), arm.mean(), arm.variance());
  EXPECT_NEAR(p.mean, 3.499993636375206, 1e-12);
  EXPECT_NEAR(p.variance, 0.018181785124027044, 1e-12);
}

TEST(PosteriorTest, NormalUpdateHasLimits) {
  EXPECT_EQ(UpdateNormal(3, 7, 0, 0, 1).mean, 3);
  EXPECT_EQ(UpdateNormal(3, 7, 0, 0, 1).variance, 7);
  // Known rewards, and an infinitely strong prior.
  EXPECT_EQ(UpdateNormal(3, 7, 5, 4, 0).mean, 4);
  EXPECT_EQ(UpdateNormal(3, 7, 5, 4, 0).variance, 0);
  EXPECT_EQ(UpdateNormal(3, 0, 5, 4, 1).mean, 3);
}

TEST(ThompsonTest, ProbabilitiesMatchTheGoldenDigits) {
  // beta_bernoulli_prob_best_2 and _3, through statistics and policy.
  ArmSums two(2);
  two.ObserveMany(0, 1000, 0.120);
  two.ObserveMany(1, 1000, 0.140);
  EXPECT_NEAR(Distribution(*Make(2, RewardKind::kBinary), two)[1],
              0.9078725863696075, 1e-9);
  ArmSums three(3);
  three.ObserveMany(0, 1000, 0.100);
  three.ObserveMany(1, 1000, 0.120);
  three.ObserveMany(2, 1000, 0.130);
  EXPECT_THAT(
      Distribution(*Make(3, RewardKind::kBinary), three),
      Pointwise(DoubleNear(1e-8), {0.007637402209170232, 0.24719516435236283,
                                   0.7451674334384665}));
}

TEST(ThompsonTest, ThePriorCounts) {
  // Beta(3, 2) beside Beta(1, 1) would be 0.6; here the prior is (2, 1) and one
  // success in two decisions makes Beta(3, 2) beside Beta(2, 1): P = E[X^2] of
  // Beta(3, 2) = 3 * 4 / (5 * 6).
  ArmSums sums(2);
  sums.ObserveMany(0, 2, 0.5);
  EXPECT_NEAR(Distribution(*Make(2, RewardKind::kBinary,
                                 {{"prior_alpha", 2}, {"prior_beta", 1}}),
                           sums)[0],
              0.4, 1e-12);
}

TEST(ThompsonTest, AMillionDecisionsBesideTwoStaysExact) {
  // Beta(300001, 700001) against Beta(2, 2): see best_arm_test.cc.
  ArmSums sums(2);
  sums.ObserveMany(0, 1e6, 0.3);
  sums.ObserveMany(1, 2, 0.5);
  EXPECT_NEAR(Distribution(*Make(2, RewardKind::kBinary), sums)[1],
              0.78399924400221999, 1e-9);
}

// The winner is ejected; among those left the better one must get the traffic,
// though beside the winner both had no chance at all.
TEST(ThompsonTest, TheRestIsStillOrderedWhenTheWinnerIsLeftOut) {
  ArmSums sums(3);
  sums.ObserveMany(0, 1e6, 0.9);
  sums.ObserveMany(1, 1e6, 0.4);
  sums.ObserveMany(2, 1e6, 0.5);
  const auto policy = Make(3, RewardKind::kBinary);
  EXPECT_THAT(Distribution(*policy, sums, 0b110),
              ElementsAre(0, DoubleNear(0, 1e-12), DoubleNear(1, 1e-12)));
}

TEST(ThompsonTest, WithoutTheLikeliestBestTheDistributionIsExact) {
  ArmSums three(3);
  three.ObserveMany(0, 10, 0.5);
  three.ObserveMany(1, 20, 0.8);
  three.ObserveMany(2, 30, 0.4);
  ArmSums two(2);
  two.ObserveMany(0, 10, 0.5);
  two.ObserveMany(1, 30, 0.4);
  const std::vector<double> exact =
      Distribution(*Make(2, RewardKind::kBinary), two);
  EXPECT_THAT(
      Distribution(*Make(3, RewardKind::kBinary), three, 0b101),
      ElementsAre(DoubleNear(exact[0], 1e-12), 0, DoubleNear(exact[1], 1e-12)));
}

TEST(ThompsonTest, WithoutAnUnlikelyArmTheRestKeepsItsRatio) {
  ArmSums sums(3);
  sums.ObserveMany(0, 10, 0.5);
  sums.ObserveMany(1, 20, 0.8);
  sums.ObserveMany(2, 30, 0.4);
  const auto policy = Make(3, RewardKind::kBinary);
  const std::vector<double> all = Distribution(*policy, sums);
  EXPECT_THAT(Distribution(*policy, sums, 0b110),
              Pointwise(DoubleNear(1e-12), {0.0, all[1] / (all[1] + all[2]),
                                            all[2] / (all[1] + all[2])}));
}

TEST(ThompsonTest, ContinuousRewardsMatchTheNormalClosedForm) {
  // With a given prior variance; the arms' own variances nearly unshrunk:
  // ((n - 1) s^2 + v) / n with v the variance of all.
  ArmSums sums(2);
  sums.ObserveMany(0, 50, 1, 49 * 4);
  sums.ObserveMany(1, 80, 2, 79 * 9);
  const PooledRewards all = Pool(sums.view());
  const double var0 = (49 * 4 + all.variance) / 50 / 50;
  const double var1 = (79 * 9 + all.variance) / 80 / 80;
  const double z = 1 / std::sqrt(var0 + var1);
  // A prior wide enough to move nothing by 1e-9.
  EXPECT_NEAR(Distribution(
                  *Make(2, RewardKind::kContinuous, {{"prior_variance", 1e12}}),
                  sums)[1],
              0.5 * std::erfc(-z / std::sqrt(2)), 1e-9);
}

TEST(ThompsonTest, AContinuousRewardsUnitDoesNotMatter) {
  std::vector<double> reference;
  for (double unit : {1.0, 1e-7, 1e7}) {
    ArmSums sums(3, 0, 5 * unit);
    sums.ObserveMany(0, 5, 1 * unit, 4 * unit * unit);
    sums.ObserveMany(1, 7, 2 * unit, 9 * unit * unit);
    const std::vector<double> p =
        Distribution(*Make(3, RewardKind::kContinuous), sums);
    if (reference.empty()) reference = p;
    EXPECT_THAT(p, Pointwise(DoubleNear(1e-9), reference)) << unit;
    // The arm without data is worth a look, the others are not given up.
    EXPECT_THAT(p, Each(Gt(0.01)));
  }
}

// Two rewards that happen to be equal: their sample variance of 0 would make
// the arm's mean certain.
TEST(ThompsonTest, EqualRewardsByChanceAreNotCertainty) {
  ArmSums sums(2);
  sums.ObserveMany(0, 2, 5);
  sums.ObserveMany(1, 20, 4, 19);
  const std::vector<double> p =
      Distribution(*Make(2, RewardKind::kContinuous), sums);
  EXPECT_GT(p[0], 0.6);
  EXPECT_LT(p[0], 0.98);
}

TEST(ThompsonTest, ConstantEqualRewardsKeepArmsEqual) {
  ArmSums sums(3);
  sums.ObserveMany(0, 100, 3);
  sums.ObserveMany(1, 5, 3);
  EXPECT_THAT(Distribution(*Make(3, RewardKind::kContinuous), sums),
              Pointwise(DoubleNear(1e-9), {1.0 / 3, 1.0 / 3, 1.0 / 3}));
}

TEST(ThompsonTest, ConstantDifferentRewardsAreToldApart) {
  ArmSums sums(2);
  sums.ObserveMany(0, 100, 3);
  sums.ObserveMany(1, 100, 3.5);
  EXPECT_GT(Distribution(*Make(2, RewardKind::kContinuous), sums)[1], 0.999);
}

TEST(ThompsonTest, RewardsTooLargeForAVarianceAreRefused) {
  ArmSums sums(2);
  sums.vector(0)[StatisticsLayout::kCount] = 3;
  sums.vector(0)[StatisticsLayout::kSum] = 1e200;
  sums.vector(0)[StatisticsLayout::kSquares] = 1.5e308;
  sums.vector(1)[StatisticsLayout::kCount] = 3;
  sums.vector(1)[StatisticsLayout::kSum] = -1e200;
  const std::vector<ArmStatistics> view = sums.view();
  EXPECT_EQ(Make(2, RewardKind::kContinuous)
                ->Prepare({.arms = view, .previous = nullptr, .fresh = {}})
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

// What a sampling implementation would do, seeded: five standard errors of a
// share are at most 5 sqrt(1/4 / 40000) = 0.0125.
TEST(ThompsonTest, MatchesSamplingFromThePosteriors) {
  ArmSums sums(4);
  const double n[] = {3, 12, 0, 40};
  const double wins[] = {2, 7, 0, 25};
  for (size_t i = 0; i < 4; ++i) {
    if (n[i] > 0) sums.ObserveMany(i, n[i], wins[i] / n[i]);
  }
  std::mt19937_64 random(3);
  std::vector<double> best(4);
  for (int draw = 0; draw < 40000; ++draw) {
    double value[4];
    for (size_t i = 0; i < 4; ++i) {
      const double a = std::gamma_distribution<>(1 + wins[i])(random);
      const double b = std::gamma_distribution<>(1 + n[i] - wins[i])(random);
      value[i] = a / (a + b);
    }
    best[std::max_element(value, value + 4) - value] += 1.0 / 40000;
  }
  EXPECT_THAT(Distribution(*Make(4, RewardKind::kBinary), sums),
              Pointwise(DoubleNear(0.0125), best));
}

}  // namespace
}  // namespace bandit::policies
