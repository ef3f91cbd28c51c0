// SPDX-License-Identifier: Apache-2.0
// What policies learn in worlds in which it is known what there is to learn.
// Tolerances are four standard errors unless a comment says otherwise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/unit/simulation/fixture.h"

namespace bandit::simulation {
namespace {

using testing::ConfigOf;
using testing::kClick;
using testing::kWorld;
using testing::Options;
using testing::Policy;
using testing::Regret;
using testing::RegretError;
using testing::Scene;
using testing::SceneOf;
using testing::SimulationOf;

// Four standard errors of the difference of the two.
double Error(const v1::Simulation& a, const v1::Simulation& b,
             std::string_view label) {
  return 4 * std::hypot(RegretError(a, label), RegretError(b, label));
}

TEST(LearningTest, ThompsonLosesAFractionOfWhatASplitDoes) {
  const Scene scene =
      SceneOf(ConfigOf("{name: thompson}", kClick), kWorld, {"thompson"});
  const v1::Simulation simulation = SimulationOf(scene, Options(20'000), 10);
  EXPECT_LT(Regret(simulation, "thompson"),
            Regret(simulation, "fixed_split") / 10);
  const v1::SimulatedPolicy& thompson = Policy(simulation, "thompson");
  // All but the floor's share.
  EXPECT_NEAR(thompson.final_best_share(), 0.99, 0.005);
  EXPECT_TRUE(thompson.has_mostly_best_after());
  EXPECT_FALSE(Policy(simulation, "fixed_split").has_mostly_best_after());
}

TEST(LearningTest, WhatASplitLearnsIsTheTruth) {
  const Scene scene =
      SceneOf(ConfigOf("{name: fixed_split}", kClick), kWorld, {"fixed_split"});
  const v1::Simulation simulation = SimulationOf(scene, Options(20'000), 10);
  const v1::SimulatedPolicy& split = simulation.policies(0);
  for (const int arm : {0, 1}) {
    const double p = simulation.true_means(arm);
    EXPECT_NEAR(split.estimates(arm), p, 4 * std::sqrt(p * (1 - p) / 100'000));
  }
}

TEST(LearningTest, RegretGrowsWithTheDelayOfRewards) {
  double before = 0;
  for (const char* delay : {"0s", "20s", "100s"}) {
    const Scene scene = SceneOf(
        ConfigOf("{name: thompson}", kClick),
        std::string(kWorld) + "delay: {median: " + delay + "}\n", {"thompson"});
    const v1::Simulation simulation = SimulationOf(scene, Options(20'000), 10);
    const double regret = Regret(simulation, "thompson");
    // Until the first rewards, the split is even: at 100/s that alone costs
    // 0.05 * 100 a second.
    EXPECT_GT(regret, before + 4 * RegretError(simulation, "thompson"))
        << delay;
    before = regret;
  }
  EXPECT_GT(before, 0.05 * 100 * 100);
}

TEST(LearningTest, ReplicasThatExchangeAtEveryTickAreAsGoodAsOne) {
  const Scene scene =
      SceneOf(ConfigOf("{name: thompson}", kClick), kWorld, {"thompson"});
  RunOptions options = Options(5000);
  const v1::Simulation one = SimulationOf(scene, options, 30);
  options.replicas = 4;
  options.sync = options.tick;
  const v1::Simulation together = SimulationOf(scene, options, 30);
  EXPECT_NEAR(Regret(together, "thompson"), Regret(one, "thompson"),
              Error(one, together, "thompson"));
  options.sync = absl::ZeroDuration();
  const v1::Simulation alone = SimulationOf(scene, options, 30);
  EXPECT_GT(Regret(alone, "thompson"),
            Regret(one, "thompson") + Error(one, alone, "thompson"));
  // The rarer the exchange, the worse.
  options.sync = absl::Seconds(25);
  const v1::Simulation rarely = SimulationOf(scene, options, 30);
  EXPECT_GT(Regret(rarely, "thompson"), Regret(together, "thompson"));
  EXPECT_LT(Regret(rarely, "thompson"), Regret(alone, "thompson"));
}

// Every reward is known to every replica at the end: the mean that each has
// learned is of all of them.
TEST(LearningTest, ReplicasThatExchangeKnowTheSame) {
  const Scene scene = SceneOf(
      ConfigOf("{name: fixed_split}",
               "    metrics: [{name: revenue, kind: continuous}]\n"),
      "arms: [{name: old, reward: {mean: 1000, sd: 1}}, {name: new, reward: "
      "{mean: 2000, sd: 1}}]\n",
      {"fixed_split"});
  RunOptions options = Options(10'000);
  options.replicas = 3;
  options.sync = options.tick;
  const v1::Simulation simulation = SimulationOf(scene, options, 1);
  EXPECT_NEAR(simulation.policies(0).estimates(0), 1000, 4 / std::sqrt(5000));
  EXPECT_NEAR(simulation.policies(0).estimates(1), 2000, 4 / std::sqrt(5000));
}

TEST(LearningTest, ALostRewardCountsAsTheDefaultOrNotAtAll) {
  const std::string world = std::string(kWorld) + "lost: 0.5\n";
  const Scene with = SceneOf(
      ConfigOf("{name: fixed_split}",
               "    metrics: [{name: click, kind: binary, window: 1s, default: "
               "0}]\n"),
      world, {"fixed_split"});
  const v1::Simulation halved = SimulationOf(with, Options(20'000), 5);
  const Scene without =
      SceneOf(ConfigOf("{name: fixed_split}", kClick), world, {"fixed_split"});
  const v1::Simulation whole = SimulationOf(without, Options(20'000), 5);
  for (const int arm : {0, 1}) {
    const double p = whole.true_means(arm);
    // Some 50,000 decisions an arm; those of the last second wait.
    EXPECT_NEAR(halved.policies(0).estimates(arm), p / 2,
                4 * std::sqrt(p / 2 * (1 - p / 2) / 49'000));
    EXPECT_NEAR(whole.policies(0).estimates(arm), p,
                4 * std::sqrt(p * (1 - p) / 24'500));
  }
  for (const v1::Simulation* simulation : {&halved, &whole}) {
    EXPECT_NEAR(static_cast<double>(simulation->policies(0).rewards().lost()),
                50'000, 4 * std::sqrt(0.25 * 100'000));
  }
}

TEST(LearningTest, ADecisionWithADefaultCountsWhenItsWindowHasPassed) {
  // One request in 100 s, a window of 10 s: each knows all that came before.
  const Scene scene =
      SceneOf(ConfigOf("{name: thompson}",
                       "    metrics: [{name: click, kind: binary, window: 10s, "
                       "default: 0}]\n"),
              kWorld, {"thompson"});
  const v1::Simulation slow = SimulationOf(scene, Options(5000, 0.01), 10);
  EXPECT_LT(Regret(slow, "thompson"), 100);
  // 500 in a window: as many are drawn evenly before anything is known.
  const v1::Simulation fast = SimulationOf(scene, Options(5000, 50), 10);
  EXPECT_GT(Regret(fast, "thompson"), Regret(slow, "thompson") + 10);
}

TEST(LearningTest, TheBestArmMayChange) {
  const Scene scene =
      SceneOf(ConfigOf("{name: epsilon_greedy}", kClick),
              "arms:\n"
              "  - {name: old, reward: {mean: 0.3}}\n"
              "  - {name: new, reward: {mean: 0.5, changes: [{at: 100s, mean: "
              "0.1}]}}\n",
              {"epsilon_greedy"});
  const v1::Simulation simulation = SimulationOf(scene, Options(20'000), 5);
  // As long under the one as under the other.
  EXPECT_NEAR(simulation.true_means(1), 0.3, 1e-4);
  const v1::SimulatedPolicy& policy = simulation.policies(0);
  EXPECT_GT(policy.moments(40).shares(1), 0.9);
  EXPECT_GT(policy.moments(40).best_share(), 0.9);
  // At the beginning of the second half the old arm is the best one.
  EXPECT_LT(policy.moments(51).best_share(), 0.1);
}

TEST(LearningTest, AContextualPolicyFindsTheBestArmForEachRequest) {
  const Scene scene = SceneOf(
      ConfigOf("{name: linucb}",
               "    metrics: [{name: click, kind: binary}]\n"
               "    context: {features: [{name: device, metadata: x-device, "
               "categories: [ios, web]}]}\n"),
      "arms:\n"
      "  - {name: old, reward: {mean: 0.4}}\n"
      "  - name: new\n"
      "    reward: {mean: 0.4, link: linear, effects: {device=ios: 0.3, "
      "device=web: -0.3}}\n",
      {"thompson"});
  const v1::Simulation simulation = SimulationOf(scene, Options(10'000), 3);
  EXPECT_GT(Policy(simulation, "linucb").final_best_share(), 0.95);
  // Without the context both arms are alike.
  EXPECT_NEAR(Policy(simulation, "thompson").best_share(), 0.5, 0.05);
  EXPECT_LT(Regret(simulation, "linucb"), Regret(simulation, "thompson") / 4);
  EXPECT_NEAR(simulation.true_means(1), 0.4, 4 * 0.3 / std::sqrt(30'000));
}

TEST(LearningTest, TheFasterArmIsTheBestWhereLatencyIsTheReward) {
  const Scene scene = SceneOf(
      ConfigOf("{name: thompson}", "    reward: {metric: latency_ms}\n"),
      "arms:\n"
      "  - {name: old, latency: {median: 40ms, p99: 200ms}}\n"
      "  - {name: new, latency: {median: 20ms, p99: 100ms}}\n",
      {"thompson"});
  const v1::Simulation simulation = SimulationOf(scene, Options(10'000), 5);
  EXPECT_GT(Policy(simulation, "thompson").final_best_share(), 0.97);
  EXPECT_LT(Regret(simulation, "thompson"),
            Regret(simulation, "fixed_split") / 10);
  for (const int arm : {0, 1}) {
    // Their standard deviation is some 80 % of the mean.
    const double mean = simulation.true_means(arm);
    EXPECT_NEAR(Policy(simulation, "fixed_split").estimates(arm), mean,
                4 * 0.8 * mean / std::sqrt(25'000))
        << arm;
  }
  EXPECT_NEAR(simulation.true_means(0) / simulation.true_means(1), 2, 1e-4);
}

TEST(LearningTest, ArmsThatFailAreAvoidedWhereErrorsAreTheReward) {
  const Scene scene =
      SceneOf(ConfigOf("{name: thompson}", "    reward: {metric: error}\n"),
              "arms: [{name: old, error: 0.2}, {name: new, error: 0.1}]\n",
              {"thompson"});
  const v1::Simulation simulation = SimulationOf(scene, Options(10'000), 5);
  EXPECT_GT(Policy(simulation, "thompson").final_best_share(), 0.9);
  EXPECT_NEAR(Regret(simulation, "fixed_split"), 0.05 * 10'000,
              4 * 0.1 * std::sqrt(0.25 * 10'000 / 5));
}

TEST(LearningTest, AWeightedRewardIsLearnedFromItsParts) {
  constexpr std::string_view kMetrics =
      "    metrics: [{name: click, kind: binary}, {name: stars, kind: "
      "continuous}]\n"
      "    reward: {weights: {click: 1, stars: 0.2, latency_ms: -0.01}}\n";
  const Scene scene =
      SceneOf(ConfigOf("{name: thompson}", kMetrics),
              "arms:\n"
              "  - name: old\n"
              "    latency: {median: 10ms}\n"
              "    metrics: {click: {mean: 0.6}, stars: {mean: 3, sd: 1}}\n"
              "  - name: new\n"
              "    latency: {median: 20ms}\n"
              "    metrics: {click: {mean: 0.4}, stars: {mean: 5, sd: 1}}\n",
              {"thompson"});
  for (const size_t replicas : {1, 3}) {
    RunOptions options = Options(10'000);
    options.replicas = replicas;
    options.sync = absl::Seconds(1);
    const v1::Simulation simulation = SimulationOf(scene, options, 3);
    // 0.6 + 0.6 - 0.1 and 0.4 + 1 - 0.2.
    EXPECT_NEAR(simulation.true_means(0), 1.1, 1e-5);
    EXPECT_NEAR(simulation.true_means(1), 1.2, 1e-5);
    const v1::SimulatedPolicy& split = Policy(simulation, "fixed_split");
    // Of a reward's deviation, sqrt(0.24 + 0.04).
    EXPECT_NEAR(split.estimates(0), 1.1, 4 * 0.53 / std::sqrt(15'000));
    EXPECT_NEAR(split.estimates(1), 1.2, 4 * 0.53 / std::sqrt(15'000));
    EXPECT_GT(Policy(simulation, "thompson").final_best_share(), 0.9);
  }
}

// Sticky units keep their arm, so a split's share is that of the units.
TEST(LearningTest, StickyUnitsKeepTheMarginalShares) {
  const Scene scene =
      SceneOf(ConfigOf("{name: fixed_split}",
                       std::string("    unit: {metadata: x-user}\n") +
                           std::string(kClick)),
              std::string(kWorld) + "units: {number: 2000, repeat: 0.9}\n",
              {"fixed_split"});
  const v1::Simulation simulation = SimulationOf(scene, Options(50'000), 4);
  // Some 2000 units that weigh up to a few times more than others.
  EXPECT_NEAR(simulation.policies(0).best_share(), 0.5,
              4 * 2 * std::sqrt(0.25 / 2000));
}

}  // namespace
}  // namespace bandit::simulation
