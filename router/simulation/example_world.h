// SPDX-License-Identifier: Apache-2.0
// A world to begin with, for a given experiment.
#ifndef BANDIT_ROUTER_SIMULATION_EXAMPLE_WORLD_H_
#define BANDIT_ROUTER_SIMULATION_EXAMPLE_WORLD_H_

#include <string>

#include "router/experiment/plan.h"

namespace bandit::simulation {

// YAML with comments that ReadWorld takes for the experiment: made-up numbers
// in which every arm is a little better than the one before it, and all that a
// world can say.
// Determinism: the experiment alone.
std::string ExampleWorld(const experiment::Experiment& experiment);

}  // namespace bandit::simulation

#endif  // BANDIT_ROUTER_SIMULATION_EXAMPLE_WORLD_H_
