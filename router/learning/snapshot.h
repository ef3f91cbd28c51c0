// SPDX-License-Identifier: Apache-2.0
// What a worker decides by: the plan and the models prepared for it.
#ifndef BANDIT_ROUTER_LEARNING_SNAPSHOT_H_
#define BANDIT_ROUTER_LEARNING_SNAPSHOT_H_

#include <memory>
#include <vector>

#include "policies/policy.h"
#include "router/experiment/caps.h"
#include "router/experiment/exposure.h"
#include "router/experiment/plan.h"

namespace bandit::learning {

// Immutable once published. Per experiment of the plan, in its order.
struct Snapshot {
  std::shared_ptr<const experiment::Plan> plan;
  std::vector<std::shared_ptr<const policies::Model>> models;
  // Arms that may be drawn.
  std::vector<policies::ArmSet> eligible;
  // The largest probability of each arm; empty: 1 for all.
  std::vector<std::vector<double>> caps;

  experiment::Eligible Eligible(size_t experiment) const {
    return {eligible[experiment], caps[experiment]};
  }
  // Which requests are in the experiment.
  std::vector<experiment::Exposure> exposure;
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_SNAPSHOT_H_
