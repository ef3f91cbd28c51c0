// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "policies/ucb_index.h"
#include "tests/unit/policies/arm_sums.h"

namespace bandit::policies {
namespace {

using ::testing::ElementsAre;

std::unique_ptr<const Policy> Make(size_t arms, RewardKind kind,
                                   double alpha = 1) {
  Problem problem;
  problem.arms = arms;
  problem.reward = kind;
  return MakePolicy("ucb1", problem, {{"alpha", alpha}}).value();
}

TEST(UcbIndexTest, MatchesMabWiser) {
  // ucb1_mabwiser: fidelity/mabwiser tests/test_ucb.py::
  // test_alpha1_expectations, N = 10.
  EXPECT_NEAR(UcbIndex(1.0 / 3, 3, 10, 1), 1.5723073962832794, 1e-12);
  EXPECT_NEAR(UcbIndex(0, 2, 10, 1), 1.5174271293851465, 1e-12);
  EXPECT_NEAR(UcbIndex(0.6, 5, 10, 1), 1.5597051824376162, 1e-12);
}

TEST(UcbIndexTest, NoDecisionIsInfinite) {
  EXPECT_EQ(UcbIndex(0, 0, 10, 1), std::numeric_limits<double>::infinity());
}

TEST(UcbIndexTest, ATotalBelowOneHasNoWidth) {
  EXPECT_EQ(UcbIndex(0.3, 0.2, 0.4, 1), 0.3);
}

// The state behind the published digits, through the policy.
TEST(Ucb1Test, PlaysTheLargestIndex) {
  ArmSums sums(3);
  for (double r : {1.0, 0.0, 0.0}) sums.Observe(0, r);
  for (double r : {0.0, 0.0}) sums.Observe(1, r);
  for (double r : {1.0, 1.0, 1.0, 0.0, 0.0}) sums.Observe(2, r);
  EXPECT_THAT(Distribution(*Make(3, RewardKind::kBinary), sums),
              ElementsAre(1, 0, 0));
  EXPECT_THAT(Distribution(*Make(3, RewardKind::kBinary), sums, 0b110),
              ElementsAre(0, 0, 1));
  // Without the width the best mean wins.
  EXPECT_THAT(Distribution(*Make(3, RewardKind::kBinary, 0), sums),
              ElementsAre(0, 0, 1));
}

TEST(Ucb1Test, ArmsWithoutDataComeFirstAndShare) {
  ArmSums sums(3);
  sums.ObserveMany(1, 5, 1);
  EXPECT_THAT(Distribution(*Make(3, RewardKind::kBinary), sums),
              ElementsAre(0.5, 0, 0.5));
}

TEST(Ucb1Test, EqualIndicesShare) {
  ArmSums sums(2);
  sums.ObserveMany(0, 7, 0.4);
  sums.ObserveMany(1, 7, 0.4);
  EXPECT_THAT(Distribution(*Make(2, RewardKind::kBinary), sums),
              ElementsAre(0.5, 0.5));
}

// In milliseconds, seconds or any other unit the same arm is played, where an
// index that adds a width of 1 would become greedy or uniform.
TEST(Ucb1Test, AContinuousRewardsUnitDoesNotMatter) {
  for (double unit : {1e-6, 1.0, 1e6}) {
    ArmSums sums(2);
    // Means 1 and 2, variance about 1, total about 1.1: the indices are
    // 1 + 2.1 sqrt(2 ln 1004 / 4) and 2 + 2.1 sqrt(2 ln 1004 / 1000).
    sums.ObserveMany(0, 4, 1 * unit, 4 * unit * unit);
    sums.ObserveMany(1, 1000, 2 * unit, 1000 * unit * unit);
    EXPECT_THAT(Distribution(*Make(2, RewardKind::kContinuous), sums),
                ElementsAre(1, 0))
        << unit;
    sums.ObserveMany(0, 400, 1 * unit, 400 * unit * unit);
    EXPECT_THAT(Distribution(*Make(2, RewardKind::kContinuous), sums),
                ElementsAre(0, 1))
        << unit;
  }
}

}  // namespace
}  // namespace bandit::policies
