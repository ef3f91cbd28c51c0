// SPDX-License-Identifier: Apache-2.0
// `banditctl simulate`: a config against a described world.
#ifndef BANDIT_CLIENTS_CLI_SIMULATE_H_
#define BANDIT_CLIENTS_CLI_SIMULATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bandit/v1/simulation.pb.h"
#include "clients/cli/result.h"
#include "router/simulation/simulate.h"

namespace bandit::cli {

struct SimulateOptions {
  std::string config;
  // Empty: an example of one is printed instead (`example`).
  std::string world;
  bool example = false;
  std::string experiment;             // Empty: the config's only one.
  std::vector<std::string> policies;  // As MakeContenders; empty: all.
  uint64_t rounds = 50'000;
  uint32_t runs = 20;
  uint64_t seed = 1;
  uint32_t replicas = 1;
  std::string sync = "1s";
  std::string delay;  // Empty: the world's.
  std::string rate;   // `20` or `20/s`; empty: the world's.
  bool csv = false;
  std::string html;  // A file; `-` is standard output. Empty: none.
};

// kInvalid if config, world or options are wrong. How long it took is in
// `error`, so that `out` is fixed by the arguments.
Result Simulate(const SimulateOptions& options, bool json,
                const simulation::OnProgress& on_progress);

std::string RenderSimulation(const v1::Simulation& simulation);
// A line a policy and moment.
std::string RenderSimulationCsv(const v1::Simulation& simulation);
std::string RenderSimulationHtml(const v1::Simulation& simulation);

// "thompson (config)".
std::string PolicyLabel(const v1::SimulatedPolicy& policy);
// "2 arms on click, 50000 decisions at 100/s (8m20s), 20 runs, seed 1".
std::string SettingWords(const v1::Simulation& simulation);
// "5h", "1m40s", "0.5s": no more than is readable.
std::string LengthWords(const google::protobuf::Duration& length);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_SIMULATE_H_
