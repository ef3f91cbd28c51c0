// SPDX-License-Identifier: Apache-2.0
// What a simulation must say where the answer is known. Tolerances are four
// standard errors unless a comment says otherwise.
#include "router/simulation/simulate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "google/protobuf/util/json_util.h"
#include "policies/policy.h"
#include "tests/unit/simulation/fixture.h"

namespace bandit::simulation {
namespace {

using testing::ConfigOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kClick;
using testing::kWorld;
using testing::Options;
using testing::Policy;
using testing::Regret;
using testing::RegretError;
using testing::Scene;
using testing::SceneOf;
using testing::SimulationOf;

TEST(SimulateTest, AFixedSplitsRegretIsWhatItsSharesCost) {
  const Scene scene =
      SceneOf(ConfigOf("{name: fixed_split}", kClick), kWorld, {"fixed_split"});
  constexpr uint64_t kRounds = 10'000;
  constexpr uint32_t kRuns = 50;
  const v1::Simulation simulation =
      SimulationOf(scene, Options(kRounds), kRuns);
  ASSERT_EQ(simulation.policies_size(), 1);
  // 0.1 for each of a binomial number of decisions, half of them.
  const double deviation = 0.1 * std::sqrt(0.25 * kRounds);
  EXPECT_NEAR(Regret(simulation, "fixed_split"), 0.1 * 0.5 * kRounds,
              4 * deviation / std::sqrt(kRuns));
  // The error of a deviation is a share of 1 / sqrt(2 runs): 10 %.
  EXPECT_NEAR(RegretError(simulation, "fixed_split"),
              deviation / std::sqrt(kRuns), 0.4 * deviation / std::sqrt(kRuns));
  EXPECT_NEAR(Policy(simulation, "fixed_split").best_share(), 0.5,
              4 * std::sqrt(0.25 / (kRounds * kRuns)));
  EXPECT_THAT(simulation.true_means(), ElementsAre(0.3, 0.4));
}

TEST(SimulateTest, MomentsAreEvenlySpacedAndTheirSharesAddUp) {
  const Scene scene =
      SceneOf(ConfigOf("{name: thompson}", kClick), kWorld, {"thompson"});
  for (const uint64_t rounds : {1u, 7u, 100u, 12'345u}) {
    const v1::Simulation simulation = SimulationOf(scene, Options(rounds), 3);
    const v1::SimulatedPolicy& policy = simulation.policies(0);
    const auto moments = static_cast<int>(std::min<uint64_t>(rounds, 100));
    ASSERT_EQ(policy.moments_size(), moments) << rounds;
    EXPECT_EQ(policy.moments(moments - 1).decisions(), rounds);
    double regret = 0;
    for (const v1::SimulatedMoment& moment : policy.moments()) {
      EXPECT_NEAR(moment.shares(0) + moment.shares(1), 1, 1e-5);
      EXPECT_NEAR(moment.best_share(), moment.shares(1), 1e-5);
      EXPECT_GE(moment.regret(), regret);
      regret = moment.regret();
    }
    EXPECT_NEAR(policy.final_shares(0) + policy.final_shares(1), 1, 1e-5);
  }
  EXPECT_EQ(SimulationOf(scene, Options(12'345), 1)
                .policies(0)
                .moments(99)
                .time()
                .seconds(),
            123);
}

TEST(SimulateTest, TheSameSeedGivesTheSameBytesAndAnotherOthers) {
  const Scene scene = SceneOf(
      ConfigOf("{name: thompson}",
               "    unit: {metadata: x-user}\n"
               "    metrics: [{name: click, kind: binary, default: 0, window: "
               "10s}]\n"
               "    context: {features: [{name: n, metadata: x-n}]}\n"),
      std::string(kWorld) + "delay: {median: 1s, p99: 20s}\nlost: 0.1\n");
  const auto json = [&](uint64_t seed) {
    RunOptions options = Options(3000);
    options.seed = seed;
    options.replicas = 2;
    options.sync = absl::Seconds(1);
    std::string text;
    EXPECT_TRUE(google::protobuf::util::MessageToJsonString(
                    SimulationOf(scene, options, 2), &text)
                    .ok());
    return text;
  };
  const std::string first = json(1);
  EXPECT_TRUE(first == json(1));
  EXPECT_FALSE(first == json(2));
}

TEST(SimulateTest, EveryPolicyOfTheRegistryRuns) {
  const Scene scene =
      SceneOf(ConfigOf("{name: thompson}",
                       "    metrics: [{name: click, kind: binary}]\n"
                       "    context: {features: [{name: n, metadata: x-n}]}\n"),
              kWorld);
  ASSERT_THAT(scene.contenders.left_out, ElementsAre());
  const v1::Simulation simulation = SimulationOf(scene, Options(2000), 2);
  ASSERT_EQ(static_cast<size_t>(simulation.policies_size()),
            policies::AllPolicies().size());
  for (const v1::SimulatedPolicy& policy : simulation.policies()) {
    EXPECT_GT(policy.moments(99).regret(), 0) << policy.label();
    EXPECT_LT(policy.moments(99).regret(), 0.1 * 2000) << policy.label();
    EXPECT_THAT(policy.found(), ElementsAre(2, 2)) << policy.label();
    // Up to a last tick's decisions, which have no reward yet.
    EXPECT_EQ(policy.rewards().accepted() + policy.rewards().pending(), 4000u);
  }
}

TEST(SimulateTest, TellsHowFarItIs) {
  const Scene scene =
      SceneOf(ConfigOf("{name: thompson}", kClick), kWorld, {"ucb1"});
  std::vector<double> done;
  std::vector<std::string> labels;
  ASSERT_TRUE(Simulate(scene.contenders, *scene.world, Options(10), 2,
                       [&](std::string_view label, double share) {
                         labels.emplace_back(label);
                         done.push_back(share);
                       })
                  .ok());
  EXPECT_THAT(labels, ElementsAre("thompson", "thompson", "ucb1", "ucb1",
                                  "fixed_split", "fixed_split"));
  EXPECT_DOUBLE_EQ(done.front(), 1.0 / 6);
  EXPECT_DOUBLE_EQ(done.back(), 1);
}

TEST(SimulateTest, SaysThatARunIsTooShortForItsWindow) {
  const Scene scene =
      SceneOf(ConfigOf("{name: thompson}",
                       "    metrics: [{name: click, kind: binary, window: 30m, "
                       "default: 0}]\n"),
              kWorld, {"thompson"});
  const v1::Simulation simulation = SimulationOf(scene, Options(1000), 1);
  ASSERT_EQ(simulation.notes_size(), 1);
  EXPECT_THAT(simulation.notes(0), HasSubstr("nothing is learned"));
  EXPECT_THAT(simulation.policies(0).found(), ElementsAre(0, 0));
  // Without a rate the runs last ten windows.
  EXPECT_DOUBLE_EQ(RateFor(*scene.world, 18'000), 1);
  EXPECT_DOUBLE_EQ(RateFor(*scene.world, 1'000'000'000), 100);
}

TEST(SimulateTest, RewardsAfterTheirWindowAreLate) {
  const Scene scene = SceneOf(
      ConfigOf("{name: thompson}",
               "    metrics: [{name: click, kind: binary, window: 5s}]\n"),
      std::string(kWorld) + "delay: {median: 6s}\n", {"thompson"});
  const v1::Simulation simulation = SimulationOf(scene, Options(10'000), 1);
  const v1::SimulatedRewards& rewards = simulation.policies(0).rewards();
  EXPECT_EQ(rewards.accepted(), 0u);
  // Of the last 6 s and the rest of their tick none has come.
  EXPECT_NEAR(static_cast<double>(rewards.late()), 10'000 - 600, 10);
  EXPECT_EQ(rewards.late() + rewards.pending(), 10'000u);
  EXPECT_THAT(simulation.notes(0),
              HasSubstr("100 % of the rewards come after"));
  EXPECT_THAT(simulation.policies(0).found(), ElementsAre(0, 0));
}

}  // namespace
}  // namespace bandit::simulation
