// SPDX-License-Identifier: Apache-2.0
#include "router/simulation/contenders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "policies/policy.h"
#include "tests/unit/simulation/fixture.h"

namespace bandit::simulation {
namespace {

using testing::ConfigOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kClick;

Contenders Made(std::string_view policy, const std::vector<std::string>& asked,
                std::string_view rest = kClick) {
  auto made = MakeContenders(ConfigOf(policy, rest), "ranker", asked);
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

std::vector<std::string> Labels(const Contenders& made) {
  std::vector<std::string> labels;
  for (const Contender& one : made.all) labels.push_back(one.label);
  return labels;
}

TEST(ContendersTest, TheConfigsOwnIsFirstAndFixedSplitAlwaysThere) {
  const Contenders made = Made("{name: thompson}", {"ucb1"});
  EXPECT_THAT(Labels(made), ElementsAre("thompson", "ucb1", "fixed_split"));
  EXPECT_TRUE(made.all[0].configured);
  EXPECT_FALSE(made.all[1].configured);
}

TEST(ContendersTest, WithoutARequestEveryPolicyTakesPartOrIsLeftOut) {
  const Contenders made = Made("{name: thompson}", {});
  EXPECT_EQ(made.all.size() + made.left_out.size(),
            policies::AllPolicies().size());
  EXPECT_THAT(made.left_out,
              ElementsAre("linucb: needs `context` features, and the "
                          "experiment has none"));
}

TEST(ContendersTest, ParametersAndFloorMayBeGiven) {
  const Contenders made =
      Made("{name: thompson, floor: 0.04}",
           {"epsilon_greedy:epsilon=0.05:floor=0.02", "ucb1", "thompson"});
  EXPECT_THAT(Labels(made),
              ElementsAre("thompson", "epsilon_greedy:epsilon=0.05:floor=0.02",
                          "ucb1", "fixed_split"));
  EXPECT_EQ(made.all[1].policy.params().at("epsilon"), 0.05);
  EXPECT_EQ(made.all[1].policy.floor(), 0.02);
  // As the config's own; but the weights are the weights.
  EXPECT_EQ(made.all[2].policy.floor(), 0.04);
  EXPECT_EQ(made.all[3].policy.floor(), 0);
}

TEST(ContendersTest, ASplitsFloorOfNothingIsNoFloorForWhatLearns) {
  const Contenders made = Made("{name: fixed_split}", {"thompson"});
  EXPECT_THAT(Labels(made), ElementsAre("fixed_split", "thompson"));
  EXPECT_EQ(made.all[1].policy.floor(), 0.01);
}

TEST(ContendersTest, AWeightedRewardLeavesContextualPoliciesOut) {
  const Contenders made =
      Made("{name: thompson}", {"linucb"},
           "    metrics: [{name: click, kind: binary}]\n"
           "    reward: {weights: {click: 1, latency_ms: -0.1}}\n"
           "    context: {features: [{name: n, metadata: x-n}]}\n");
  EXPECT_THAT(Labels(made), ElementsAre("thompson", "fixed_split"));
  EXPECT_THAT(made.left_out, ElementsAre(HasSubstr("weighted sum")));
}

TEST(ContendersTest, WhatIsNoPolicyOrParameterIsSaid) {
  const v1::RouterConfig config = ConfigOf("{name: thompson}", kClick);
  const auto said = [&](const std::string& asked) {
    return std::string(
        MakeContenders(config, "ranker", {asked}).status().message());
  };
  EXPECT_THAT(said("thomson"), HasSubstr("\"thomson\" is no policy"));
  EXPECT_THAT(said("thomson"), HasSubstr("did you mean \"thompson\"?"));
  EXPECT_THAT(said("ucb1:alpha"), HasSubstr("is not parameter=number"));
  EXPECT_THAT(said("ucb1:beta=1"), HasSubstr("no such parameter"));
  EXPECT_THAT(said("ucb1:alpha=-1"), HasSubstr("alpha = -1 is outside"));
  EXPECT_THAT(said("ucb1:floor=0.7"), HasSubstr("floor = 0.7 is outside"));
}

}  // namespace
}  // namespace bandit::simulation
