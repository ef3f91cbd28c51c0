// SPDX-License-Identifier: Apache-2.0
// A simulation: each policy in the same world, run after run, and what came of
// it on average.
#ifndef BANDIT_ROUTER_SIMULATION_SIMULATE_H_
#define BANDIT_ROUTER_SIMULATION_SIMULATE_H_

#include <cstdint>
#include <functional>
#include <string_view>

#include "absl/status/statusor.h"
#include "bandit/v1/simulation.pb.h"
#include "router/simulation/contenders.h"
#include "router/simulation/run.h"
#include "router/simulation/world.h"

namespace bandit::simulation {

// The rate where neither the world nor the caller gives one: 100 a second, or
// fewer where the reward has a default, so that `rounds` last ten windows.
double RateFor(const World& world, uint64_t rounds);

// Called after each run with the policy's label and how much of the whole is
// done, in (0, 1].
using OnProgress = std::function<void(std::string_view label, double done)>;

// REQUIRES: `world` is of the contenders' experiment; runs >= 1.
// Fails with the error of a policy that cannot use what it learned.
// Determinism: the arguments.
absl::StatusOr<v1::Simulation> Simulate(const Contenders& contenders,
                                        const World& world,
                                        const RunOptions& options,
                                        uint32_t runs,
                                        const OnProgress& on_progress);

}  // namespace bandit::simulation

#endif  // BANDIT_ROUTER_SIMULATION_SIMULATE_H_
