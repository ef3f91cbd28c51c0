// SPDX-License-Identifier: Apache-2.0
#include "stats/posterior.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace bandit::stats {
namespace {

TEST(PosteriorTest, BetaSummaries) {
  // Beta(1, 1) after 1 0 0 1 1.
  const BetaPosterior posterior{4, 3};
  EXPECT_NEAR(Mean(posterior), 0.5714285714285714, 1e-15);
  // mpmath 1.3, 25 digits.
  const Interval interval = CredibleInterval(posterior, 0.95);
  EXPECT_NEAR(interval.low, 0.2227780955035121, 1e-12);
  EXPECT_NEAR(interval.high, 0.8818827512429748, 1e-12);
}

TEST(PosteriorTest, BetaIntervalsOfRareEventsAreMirrored) {
  const Interval rare = CredibleInterval(BetaPosterior{3, 1e7}, 0.95);
  const Interval common = CredibleInterval(BetaPosterior{1e7, 3}, 0.95);
  EXPECT_NEAR(rare.low, 1 - common.high, 1e-15);
  EXPECT_NEAR(rare.high, 1 - common.low, 1e-15);
  EXPECT_GT(rare.low, 0);
}

TEST(PosteriorTest, NormalUpdateMatchesGrowthBook) {
  // gbstats/bayesian/bandits.py: prior N(0, 1e4), n 220, sum 770, squares 3571.
  const double variance = (3571 - 770.0 * 770 / 220) / 219;
  const NormalPosterior posterior =
      UpdateNormal({0, 1e4}, 770.0 / 220, std::sqrt(variance / 220));
  EXPECT_NEAR(posterior.mean, 3.499993636375206, 1e-12);
  EXPECT_NEAR(posterior.variance, 0.018181785124027044, 1e-12);
  EXPECT_EQ(Mean(posterior), posterior.mean);
  const Interval interval = CredibleInterval(NormalPosterior{1, 4}, 0.95);
  EXPECT_NEAR(interval.low, 1 - 2 * 1.959963984540054, 1e-9);
  EXPECT_NEAR(interval.high, 1 + 2 * 1.959963984540054, 1e-9);
}

TEST(PosteriorTest, LiftWithoutAPriorMatchesGrowthBook) {
  // packages/stats/tests/bayesian/test_tests.py TestBinom: 49 and 51 of 100.
  const double error =
      std::sqrt(0.51 * 0.49 / 100 / (0.49 * 0.49) +
                0.49 * 0.51 / 100 * 0.51 * 0.51 / std::pow(0.49, 4));
  const NormalPosterior lift = UpdateNormal(
      {0, std::numeric_limits<double>::infinity()}, 0.51 / 0.49 - 1, error);
  EXPECT_NEAR(lift.mean, 0.04082, 1e-5);
  EXPECT_NEAR(std::sqrt(lift.variance), 0.14725, 1e-5);
  const LiftVerdict verdict = JudgeLift(lift);
  EXPECT_NEAR(verdict.probability_better, 0.60918, 1e-5);
  EXPECT_NEAR(verdict.loss_control, 0.0814, 1e-5);
  EXPECT_NEAR(verdict.loss_treatment, 0.04058, 1e-5);
  EXPECT_NEAR(CredibleInterval(lift, 0.95).low, -0.24779, 1e-5);
  EXPECT_NEAR(CredibleInterval(lift, 0.95).high, 0.32943, 1e-5);
}

TEST(PosteriorTest, LiftWithAPriorMatchesGrowthBook) {
  // The same file's TestNorm informative: prior N(0.1, 0.1).
  const double a = (1002.25 - 100.0 * 100 / 10) / 9 / 10;
  const double b = (1111.5 - 105.0 * 105 / 10) / 9 / 10;
  const double error = std::sqrt(b / 100 + a * 10.5 * 10.5 / std::pow(10, 4));
  const NormalPosterior lift = UpdateNormal({0.1, 0.1}, 0.05, error);
  EXPECT_NEAR(lift.mean, 0.05063, 1e-5);
  EXPECT_NEAR(std::sqrt(lift.variance), 0.03549, 1e-5);
  EXPECT_NEAR(JudgeLift(lift).probability_better, 0.92315, 1e-5);
  EXPECT_NEAR(JudgeLift(lift).loss_control, 0.05186, 1e-5);
  EXPECT_NEAR(JudgeLift(lift).loss_treatment, 0.00123, 1e-5);
}

TEST(PosteriorTest, KnownLiftsAreJudgedAsTheyAre) {
  EXPECT_EQ(JudgeLift({0, 0}).probability_better, 0.5);
  EXPECT_EQ(JudgeLift({0.2, 0}).probability_better, 1);
  EXPECT_EQ(JudgeLift({0.2, 0}).loss_control, 0.2);
  EXPECT_EQ(JudgeLift({-0.2, 0}).probability_better, 0);
  EXPECT_EQ(JudgeLift({-0.2, 0}).loss_treatment, 0.2);
  // Far out nothing falls below 0.
  EXPECT_GE(JudgeLift({1, 1e-4}).loss_treatment, 0);
  EXPECT_EQ(UpdateNormal({1, 0}, 5, 0).mean, 5);
  EXPECT_EQ(UpdateNormal({1, 0}, 5, 2).mean, 1);
}

}  // namespace
}  // namespace bandit::stats
