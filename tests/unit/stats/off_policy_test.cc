// SPDX-License-Identifier: Apache-2.0
#include "stats/off_policy.h"

#include <array>
#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace bandit::stats {
namespace {

// Definitions of st-tech/zr-obp obp/ope/estimators.py, by scipy 1.10: five
// decisions among three actions.
struct Row {
  double reward;
  size_t action;
  double propensity;
  std::array<double, 3> target;
  std::array<double, 3> prediction;
};
constexpr Row kRows[] = {
    {1, 0, 0.5, {0.2, 0.3, 0.5}, {0.6, 0.2, 0.7}},
    {0, 1, 0.3, {0.1, 0.6, 0.3}, {0.5, 0.3, 0.6}},
    {1, 2, 0.2, {0.3, 0.3, 0.4}, {0.55, 0.25, 0.65}},
    {1, 0, 0.5, {0.7, 0.2, 0.1}, {0.7, 0.1, 0.5}},
    {0, 1, 0.3, {0.25, 0.5, 0.25}, {0.6, 0.3, 0.6}},
};

OffPolicySums Replay(bool predict) {
  OffPolicySums sums;
  for (const Row& row : kRows) {
    double value = 0;
    for (size_t a = 0; a < 3; ++a) value += row.target[a] * row.prediction[a];
    sums.Add(row.target[row.action] / row.propensity, row.reward,
             predict ? row.prediction[row.action] : 0, predict ? value : 0);
  }
  return sums;
}

TEST(OffPolicyTest, EstimatesMatchTheReference) {
  const OffPolicyEstimate ips = Augmented(Replay(false));
  EXPECT_NEAR(ips.value, 0.76, 1e-12);
  EXPECT_NEAR(ips.standard_error, 0.40199502484483557, 1e-12);
  const OffPolicyEstimate dr = Augmented(Replay(true));
  EXPECT_NEAR(dr.value, 0.526, 1e-12);
  EXPECT_NEAR(dr.standard_error, 0.27674175687814084, 1e-12);
  EXPECT_NEAR(SelfNormalized(Replay(false)).value, 0.5089285714285713, 1e-12);
  EXPECT_NEAR(EffectiveSampleSize(Replay(false)), 4.322536181943488, 1e-12);
}

TEST(OffPolicyTest, SelfNormalizedErrorIsThatOfTheLinearizedRatio) {
  const OffPolicySums sums = Replay(false);
  const OffPolicyEstimate estimate = SelfNormalized(sums);
  double squares = 0;
  for (const Row& row : kRows) {
    const double w = row.target[row.action] / row.propensity;
    squares += std::pow(w * (row.reward - estimate.value), 2);
  }
  EXPECT_NEAR(estimate.standard_error, std::sqrt(squares) / sums.weights,
              1e-12);
}

// Eight decisions: which of two arms, its propensity, the reward.
constexpr int kDrawn[] = {1, 0, 1, 1, 0, 1, 0, 1};
constexpr double kP[] = {0.5, 0.5, 0.6, 0.6, 0.65, 0.7, 0.7, 0.75};
constexpr double kReward[] = {1, 0, 1, 0, 1, 1, 0, 1};

OffPolicySums Arm(int arm, double prediction = 0) {
  OffPolicySums sums;
  for (int t = 0; t < 8; ++t) {
    const double p = arm == 1 ? kP[t] : 1 - kP[t];
    sums.Add(kDrawn[t] == arm ? 1 / p : 0, kReward[t], prediction, prediction);
  }
  return sums;
}

TEST(OffPolicyTest, DesignBasedLiftMatchesTheReference) {
  // Computed by the formulas of Liang and Bojinov: eta is that of 1000 planned.
  const AnytimeEstimate lift = DesignBasedLift(
      Arm(1), Arm(0), {.alpha = 0.05, .planned = 1000, .burn_in = 3});
  EXPECT_NEAR(lift.estimate, 0.4464285714285714, 1e-12);
  EXPECT_NEAR(Arm(1).squared_noise + Arm(0).squared_noise, 18.75963718820862,
              1e-10);
  EXPECT_NEAR(lift.interval.high - lift.estimate, 3.723756884823084, 1e-10);
  EXPECT_NEAR(lift.estimate - lift.interval.low, 3.723756884823084, 1e-10);
  EXPECT_EQ(lift.p, 1);
}

TEST(OffPolicyTest, AdaptiveWeightsMatchTheReference) {
  // Hadad et al. (2021), computed with predictions .5 .5 .6 .6 .55 .55 .6 .6.
  constexpr double kPrediction[] = {0.5, 0.5, 0.6, 0.6, 0.55, 0.55, 0.6, 0.6};
  AdaptivelyWeighted sums;
  for (int t = 0; t < 8; ++t) {
    const double q = kPrediction[t];
    sums.Add(kP[t], kDrawn[t] == 1 ? q + (kReward[t] - q) / kP[t] : q);
  }
  const OffPolicyEstimate estimate = sums.Estimate();
  EXPECT_NEAR(estimate.value, 0.7941796767954767, 1e-10);
  EXPECT_NEAR(std::pow(estimate.standard_error, 2), 0.03880658305788017, 1e-10);
  EXPECT_EQ(AdaptivelyWeighted().Estimate().value, 0);
}

TEST(OffPolicyTest, NothingIsSaidBeforeTheBurnIn) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const AnytimeEstimate& result :
       {DesignBasedValue(Arm(1), {.burn_in = 6}),
        // The control has three draws.
        DesignBasedLift(Arm(1), Arm(0), {.burn_in = 4}),
        DesignBasedValue({}, {.burn_in = 0})}) {
    EXPECT_EQ(result.interval.low, -infinity);
    EXPECT_EQ(result.interval.high, infinity);
    EXPECT_EQ(result.p, 1);
  }
  EXPECT_LT(DesignBasedValue(Arm(1), {.burn_in = 5}).interval.width(),
            infinity);
}

TEST(OffPolicyTest, NoDataGiveZeros) {
  const OffPolicySums none;
  EXPECT_EQ(Augmented(none).value, 0);
  EXPECT_EQ(SelfNormalized(none).value, 0);
  EXPECT_EQ(SelfNormalized(none).standard_error, 0);
  EXPECT_EQ(EffectiveSampleSize(none), 0);
  EXPECT_EQ(WeightDeviation(none), 0);
  OffPolicySums one;
  one.Add(2, 1);
  EXPECT_EQ(Augmented(one).standard_error, 0);
  EXPECT_EQ(SelfNormalized(one).standard_error, 0);
}

TEST(OffPolicyTest, WrongPropensitiesShowInTheWeights) {
  OffPolicySums honest;
  OffPolicySums wrong;
  for (int i = 0; i < 1000; ++i) {
    const bool drawn = i % 4 == 0;
    honest.Add(drawn ? 4 : 0, 1);
    wrong.Add(drawn ? 2 : 0, 1);
  }
  EXPECT_NEAR(WeightDeviation(honest), 0, 1e-9);
  EXPECT_LT(WeightDeviation(wrong), -10);
}

TEST(OffPolicyTest, SumsMergeAndRepeat) {
  OffPolicySums parts = Arm(1, 0.4);
  parts.Merge(Arm(1, 0.4));
  OffPolicySums twice;
  for (int t = 0; t < 8; ++t) {
    twice.Add(kDrawn[t] == 1 ? 1 / kP[t] : 0, kReward[t], 0.4, 0.4, 2);
  }
  EXPECT_EQ(parts.decisions, 16);
  EXPECT_EQ(parts.draws, twice.draws);
  for (auto member :
       {&OffPolicySums::weights, &OffPolicySums::squared_weights,
        &OffPolicySums::weighted, &OffPolicySums::weighted_squares,
        &OffPolicySums::crossed, &OffPolicySums::scores,
        &OffPolicySums::squared_scores, &OffPolicySums::squared_noise}) {
    EXPECT_NEAR(parts.*member, twice.*member, 1e-12);
  }
}

// A decision of weight 0 may have no reward yet.
TEST(OffPolicyTest, ARewardThatDoesNotCountIsNotRead) {
  OffPolicySums sums;
  sums.Add(0, std::numeric_limits<double>::quiet_NaN(), 0.3, 0.3);
  EXPECT_EQ(sums.scores, 0.3);
  EXPECT_EQ(sums.weighted, 0);
  EXPECT_EQ(sums.squared_noise, 0);
}

}  // namespace
}  // namespace bandit::stats
