// SPDX-License-Identifier: Apache-2.0
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/policies/arm_sums.h"

namespace bandit::policies {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

std::unique_ptr<const Policy> Make(std::vector<double> weights,
                                   double floor = 0) {
  Problem problem;
  problem.arms = 3;
  problem.weights = std::move(weights);
  problem.floor = floor;
  return MakePolicy("fixed_split", problem, {}).value();
}

TEST(FixedSplitTest, SharesAreTheWeights) {
  EXPECT_THAT(Distribution(*Make({90, 10, 0}), ArmSums(3)),
              ElementsAre(0.9, 0.1, 0));
}

TEST(FixedSplitTest, WithoutWeightsArmsAreEqual) {
  EXPECT_THAT(Distribution(*Make({}), ArmSums(3)),
              Pointwise(DoubleNear(1e-15), {1.0 / 3, 1.0 / 3, 1.0 / 3}));
}

TEST(FixedSplitTest, RewardsChangeNothing) {
  ArmSums sums(3);
  sums.ObserveMany(1, 1000, 1);
  EXPECT_THAT(Distribution(*Make({90, 10, 0}), sums), ElementsAre(0.9, 0.1, 0));
}

TEST(FixedSplitTest, TheRestKeepsItsRatioWhenAnArmIsLeftOut) {
  EXPECT_THAT(Distribution(*Make({60, 30, 10}), ArmSums(3), 0b110),
              ElementsAre(0, 0.75, 0.25));
}

// Only arms of weight 0 are left: some arm must serve.
TEST(FixedSplitTest, ArmsWithoutWeightShareWhenAlone) {
  EXPECT_THAT(Distribution(*Make({1, 0, 0}), ArmSums(3), 0b110),
              ElementsAre(0, 0.5, 0.5));
}

TEST(FixedSplitTest, TheFloorIsMixedIn) {
  EXPECT_THAT(Distribution(*Make({90, 10, 0}, 0.1), ArmSums(3)),
              Pointwise(DoubleNear(1e-15), {0.73, 0.17, 0.1}));
}

}  // namespace
}  // namespace bandit::policies
