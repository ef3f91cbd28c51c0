// SPDX-License-Identifier: Apache-2.0
// Parts of a world, held against its experiment; see ReadWorld.
#ifndef BANDIT_ROUTER_SIMULATION_WORLD_CHECKS_H_
#define BANDIT_ROUTER_SIMULATION_WORLD_CHECKS_H_

#include "bandit/v1/world.pb.h"
#include "router/config/report.h"
#include "router/experiment/plan.h"

namespace bandit::simulation {

// Reports a number that is too large for sums of squares.
void CheckSize(const config::Path& path, double value, config::Report* report);

void CheckTime(const config::Path& path, const v1::WorldTime& time,
               config::Report* report);

void CheckFeatures(const v1::World& world,
                   const experiment::Experiment& experiment,
                   config::Report* report);

}  // namespace bandit::simulation

#endif  // BANDIT_ROUTER_SIMULATION_WORLD_CHECKS_H_
