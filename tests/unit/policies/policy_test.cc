// SPDX-License-Identifier: Apache-2.0
#include "policies/policy.h"

#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "policies/argmax.h"

namespace bandit::policies {
namespace {

using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<double> Floored(double floor, ArmSet eligible,
                            std::vector<double> w) {
  ApplyFloor(floor, eligible, absl::MakeSpan(w));
  return w;
}

TEST(ArmSetTest, AllArmsHoldsTheFirstN) {
  EXPECT_EQ(AllArms(0), 0u);
  EXPECT_EQ(AllArms(3), 0b111u);
  EXPECT_EQ(AllArms(64), ~uint64_t{0});
  EXPECT_TRUE(Contains(AllArms(64), 63));
  EXPECT_FALSE(Contains(AllArms(63), 63));
}

TEST(ApplyFloorTest, MatchesThePublishedIdentity) {
  // bandit_weight_floor: p_i = f + (1 - n f) w_i, the identity of GrowthBook's
  // test_gbstats.py::TestBanditMinVariationWeightFloor.
  EXPECT_THAT(Floored(0.1, 0b1111, {0.7, 0.2, 0.1, 0.0}),
              Pointwise(DoubleNear(1e-12), {0.52, 0.22, 0.16, 0.1}));
}

TEST(ApplyFloorTest, WeightsAreNormalized) {
  EXPECT_THAT(Floored(0, 0b111, {3, 1, 0}), ElementsAre(0.75, 0.25, 0));
}

TEST(ApplyFloorTest, IneligibleArmsAreZeroAndDoNotCount) {
  EXPECT_THAT(Floored(0.2, 0b101, {1, 100, 3}),
              Pointwise(DoubleNear(1e-15), {0.35, 0.0, 0.65}));
  EXPECT_THAT(Floored(0.2, 0b101, {1, kNaN, 3}),
              Pointwise(DoubleNear(1e-15), {0.35, 0.0, 0.65}));
}

TEST(ApplyFloorTest, AFloorThatDoesNotFitGivesTheUniformDistribution) {
  EXPECT_THAT(Floored(0.4, 0b111, {1, 0, 0}), Each(1.0 / 3));
}

TEST(ApplyFloorTest, ANegativeFloorCountsAsZero) {
  EXPECT_THAT(Floored(-0.5, 0b11, {1, 3}), ElementsAre(0.25, 0.75));
}

TEST(ApplyFloorTest, NoArmEligibleGivesNothing) {
  EXPECT_THAT(Floored(0.1, 0, {1, 2}), ElementsAre(0, 0));
}

TEST(ApplyFloorTest, WeightsOfAnyScaleKeepTheirRatio) {
  for (double scale : {1e-320, 1e-305, 1e305, 5e307}) {
    EXPECT_THAT(Floored(0, 0b111, {3 * scale, scale, 0}),
                ElementsAre(DoubleNear(0.75, 1e-3), DoubleNear(0.25, 1e-3), 0))
        << scale;
  }
}

TEST(ApplyFloorTest, WithoutUsableWeightsTheDistributionIsUniform) {
  EXPECT_THAT(Floored(0.1, 0b11, {0, 0}), Each(0.5));
  EXPECT_THAT(Floored(0.1, 0b11, {kNaN, 1}), Each(0.5));
  EXPECT_THAT(Floored(0.1, 0b11, {kInfinity, 1}), Each(0.5));
}

std::vector<double> Shared(std::vector<double> scores, ArmSet eligible) {
  std::vector<double> w(scores.size());
  ShareMaximum(scores, eligible, absl::MakeSpan(w));
  return w;
}

TEST(ShareMaximumTest, TiesShareAndNegativeScoresAreOrdered) {
  EXPECT_THAT(Shared({-3, -1, -2}, 0b111), ElementsAre(0, 1, 0));
  EXPECT_THAT(Shared({2, 1, 2}, 0b111), ElementsAre(1, 0, 1));
  EXPECT_THAT(Shared({2, 1, 2}, 0b110), ElementsAre(0, 0, 1));
  EXPECT_THAT(Shared({kInfinity, 1, kInfinity}, 0b111), ElementsAre(1, 0, 1));
  EXPECT_THAT(Shared({kNaN, 1}, 0b11), ElementsAre(0, 1));
  EXPECT_THAT(Shared({-1e300, -1e301}, 0b11), ElementsAre(1, 0));
}

// 0.1 + 0.2 is not 0.3, and that must not decide.
TEST(ShareMaximumTest, RoundingDoesNotBreakTies) {
  EXPECT_THAT(Shared({0.1 + 0.2, 0.3}, 0b11), ElementsAre(1, 1));
  EXPECT_THAT(Shared({0.3 + 1e-9, 0.3}, 0b11), ElementsAre(1, 0));
}

TEST(RegistryTest, PoliciesAreFoundByName) {
  std::vector<std::string> names;
  for (const PolicyInfo* info : AllPolicies()) {
    EXPECT_EQ(FindPolicy(info->name), info);
    names.emplace_back(info->name);
  }
  EXPECT_THAT(names, testing::IsSupersetOf({"fixed_split", "epsilon_greedy",
                                            "thompson", "ucb1", "linucb"}));
  EXPECT_EQ(FindPolicy("nothing"), nullptr);
}

TEST(RegistryTest, EveryTableIsConsistent) {
  for (const PolicyInfo* info : AllPolicies()) {
    EXPECT_FALSE(info->summary.empty());
    for (const Parameter& p : info->parameters) {
      EXPECT_LE(p.min, p.default_value) << info->name << " " << p.name;
      EXPECT_LE(p.default_value, p.max) << info->name << " " << p.name;
      EXPECT_FALSE(p.meaning.empty());
    }
  }
}

std::string Error(std::string_view name, const Problem& problem,
                  const std::map<std::string, double>& given = {}) {
  const auto policy = MakePolicy(name, problem, given);
  if (policy.ok()) return "no error";
  EXPECT_EQ(policy.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(policy.status().message());
}

Problem Arms(size_t n) {
  Problem problem;
  problem.arms = n;
  return problem;
}

TEST(MakePolicyTest, ErrorsNameTheValueTheLimitAndTheParameter) {
  EXPECT_EQ(Error("epsilon_greedy", Arms(2), {{"epsilon", 1.5}}),
            "params.epsilon = 1.5 is outside [0, 1]");
  EXPECT_EQ(Error("epsilon_greedy", Arms(2), {{"epsilon", kNaN}}),
            "params.epsilon = nan is outside [0, 1]");
  EXPECT_EQ(Error("thompson", Arms(2), {{"alpha", 1}}),
            "params.alpha: policy thompson has no such parameter, expected one "
            "of: prior_alpha, prior_beta, prior_mean, prior_variance");
  EXPECT_EQ(Error("fixed_split", Arms(2), {{"epsilon", 0.1}}),
            "params.epsilon: policy fixed_split has no such parameter, "
            "expected one of: none");
  EXPECT_THAT(Error("tompson", Arms(2)),
              HasSubstr("policy 'tompson' is unknown, expected one of: "
                        "fixed_split, epsilon_greedy, thompson"));
}

TEST(MakePolicyTest, MalformedProblemsAreRefused) {
  EXPECT_EQ(Error("thompson", Arms(0)), "arms: 0 is outside [1, 64]");
  EXPECT_EQ(Error("thompson", Arms(65)), "arms: 65 is outside [1, 64]");
  Problem problem = Arms(4);
  problem.floor = 0.3;
  EXPECT_EQ(Error("ucb1", problem),
            "floor = 0.3 is outside [0, 1/4 arms = 0.25]");
  problem.floor = -0.1;
  EXPECT_THAT(Error("ucb1", problem), HasSubstr("floor = -0.1"));
  problem.floor = kNaN;
  EXPECT_THAT(Error("ucb1", problem), HasSubstr("floor = nan"));
  EXPECT_EQ(Error("linucb", Arms(2)), "policy linucb needs context features");
  problem = Arms(2);
  problem.dimension = 1025;
  EXPECT_EQ(Error("linucb", problem),
            "context: 1025 feature columns, at most 1024 allowed");
}

TEST(MakePolicyTest, MalformedWeightsAreRefused) {
  Problem problem = Arms(2);
  problem.weights = {1};
  EXPECT_EQ(Error("fixed_split", problem), "weights: 1 given for 2 arms");
  problem.weights = {1, -1};
  EXPECT_THAT(Error("fixed_split", problem), HasSubstr("weight = -1"));
  problem.weights = {1, kInfinity};
  EXPECT_THAT(Error("fixed_split", problem), HasSubstr("weight = inf"));
  problem.weights = {0, 0};
  EXPECT_THAT(Error("fixed_split", problem), HasSubstr("sum 0"));
}

TEST(MakePolicyTest, AFloorOfExactlyOneShareIsAllowed) {
  for (size_t n : {1, 3, 7, 49, 64}) {
    Problem problem = Arms(n);
    problem.floor = 1.0 / static_cast<double>(n);
    EXPECT_EQ(Error("ucb1", problem), "no error");
  }
}

}  // namespace
}  // namespace bandit::policies
