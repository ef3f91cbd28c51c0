// SPDX-License-Identifier: Apache-2.0
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/policies/arm_sums.h"

namespace bandit::policies {
namespace {

using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::Pointwise;

std::unique_ptr<const Policy> Make(double epsilon) {
  Problem problem;
  problem.arms = 4;
  problem.reward = RewardKind::kContinuous;
  return MakePolicy("epsilon_greedy", problem, {{"epsilon", epsilon}}).value();
}

ArmSums Means(std::vector<double> means) {
  ArmSums sums(means.size());
  for (size_t i = 0; i < means.size(); ++i) sums.ObserveMany(i, 10, means[i]);
  return sums;
}

TEST(EpsilonGreedyTest, TheBestMeanGetsAllButEpsilon) {
  EXPECT_THAT(Distribution(*Make(0.2), Means({1, 3, 2, 0})),
              Pointwise(DoubleNear(1e-15), {0.05, 0.85, 0.05, 0.05}));
}

TEST(EpsilonGreedyTest, EqualMeansShare) {
  EXPECT_THAT(Distribution(*Make(0.2), Means({3, 3, 2, 0})),
              Pointwise(DoubleNear(1e-15), {0.45, 0.45, 0.05, 0.05}));
}

TEST(EpsilonGreedyTest, WithoutDataArmsAreEqual) {
  EXPECT_THAT(Distribution(*Make(0), ArmSums(4)), Each(0.25));
}

// An arm whose rewards never come may not take all traffic for ever.
TEST(EpsilonGreedyTest, AnArmWithoutDataSharesWithTheBest) {
  ArmSums sums(4);
  sums.ObserveMany(0, 10, 0.5);
  sums.ObserveMany(1, 10, 0.2);
  sums.ObserveMany(2, 10, 0.1);
  EXPECT_THAT(Distribution(*Make(0.2), sums),
              Pointwise(DoubleNear(1e-15), {0.45, 0.05, 0.05, 0.45}));
}

TEST(EpsilonGreedyTest, EpsilonIsSharedByEligibleArmsOnly) {
  EXPECT_THAT(Distribution(*Make(0.2), Means({1, 3, 2, 0}), 0b1001),
              Pointwise(DoubleNear(1e-15), {0.9, 0.0, 0.0, 0.1}));
}

TEST(EpsilonGreedyTest, EpsilonOneIsUniform) {
  EXPECT_THAT(Distribution(*Make(1), Means({1, 3, 2, 0})), Each(0.25));
}

}  // namespace
}  // namespace bandit::policies
