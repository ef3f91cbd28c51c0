// SPDX-License-Identifier: Apache-2.0
// Configs and worlds by their text.
#ifndef BANDIT_TESTS_UNIT_SIMULATION_FIXTURE_H_
#define BANDIT_TESTS_UNIT_SIMULATION_FIXTURE_H_

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "router/config/load.h"
#include "router/simulation/contenders.h"
#include "router/simulation/simulate.h"
#include "router/simulation/world.h"

namespace bandit::testing {

inline std::optional<std::string> NoVariables(std::string_view) {
  return std::nullopt;
}

// A config of one experiment, `ranker`, with arms old and new; `rest` are its
// further fields, indented by four.
inline v1::RouterConfig ConfigOf(std::string_view policy,
                                 std::string_view rest) {
  const std::string text =
      "backends: {b: {address: \"127.0.0.1:1\"}}\n"
      "experiments:\n"
      "  - name: ranker\n"
      "    match: {service: a.B}\n"
      "    arms: [{name: old, backend: b, cost: 2}, {name: new, backend: b}]\n"
      "    policy: " +
      std::string(policy) + "\n" + std::string(rest);
  auto loaded = config::LoadText(text, "config.yaml", NoVariables);
  EXPECT_TRUE(loaded.ok()) << loaded.status() << "\n" << text;
  return loaded.ok() ? loaded->proto : v1::RouterConfig();
}

inline constexpr std::string_view kClick =
    "    metrics: [{name: click, kind: binary}]\n";

// Two arms, the second 0.1 better.
inline constexpr std::string_view kWorld =
    "arms: [{name: old, reward: {mean: 0.3}}, {name: new, reward: {mean: "
    "0.4}}]\n";

// One replica that learns ten times a second.
inline simulation::RunOptions Options(uint64_t rounds, double rate = 100) {
  return {.rounds = rounds,
          .rate = rate,
          .seed = 1,
          .replicas = 1,
          .sync = absl::ZeroDuration(),
          .tick = absl::Milliseconds(100)};
}

// A simulation to be. The plan that the world borrows is in the contenders.
struct Scene {
  v1::RouterConfig config;
  simulation::Contenders contenders;
  std::optional<simulation::World> world;

  const experiment::Experiment& experiment() const {
    return contenders.all[0].plan->experiments[0];
  }
};

inline Scene SceneOf(const v1::RouterConfig& config, std::string_view world,
                     const std::vector<std::string>& policies = {}) {
  Scene scene{.config = config};
  auto contenders = simulation::MakeContenders(config, "ranker", policies);
  EXPECT_TRUE(contenders.ok()) << contenders.status();
  scene.contenders = *std::move(contenders);
  const auto read = simulation::ReadWorld(world, "world.yaml", NoVariables,
                                          scene.experiment());
  EXPECT_TRUE(read.ok()) << read.status();
  scene.world.emplace(*read, scene.experiment());
  return scene;
}

inline v1::Simulation SimulationOf(const Scene& scene,
                                   const simulation::RunOptions& options,
                                   uint32_t runs) {
  const auto done =
      simulation::Simulate(scene.contenders, *scene.world, options, runs,
                           [](std::string_view, double) {});
  EXPECT_TRUE(done.ok()) << done.status();
  return *done;
}

inline const v1::SimulatedPolicy& Policy(const v1::Simulation& simulation,
                                         std::string_view label) {
  for (const v1::SimulatedPolicy& policy : simulation.policies()) {
    if (policy.label() == label) return policy;
  }
  ADD_FAILURE() << "no policy " << label;
  return simulation.policies(0);
}

inline double Regret(const v1::Simulation& simulation, std::string_view label) {
  const v1::SimulatedPolicy& policy = Policy(simulation, label);
  return policy.moments(policy.moments_size() - 1).regret();
}
inline double RegretError(const v1::Simulation& simulation,
                          std::string_view label) {
  const v1::SimulatedPolicy& policy = Policy(simulation, label);
  return policy.moments(policy.moments_size() - 1).regret_standard_error();
}

}  // namespace bandit::testing

#endif  // BANDIT_TESTS_UNIT_SIMULATION_FIXTURE_H_
