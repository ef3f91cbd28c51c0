// SPDX-License-Identifier: Apache-2.0
// The policies that a simulation compares: the config's own, others, and
// fixed_split.
#ifndef BANDIT_ROUTER_SIMULATION_CONTENDERS_H_
#define BANDIT_ROUTER_SIMULATION_CONTENDERS_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "bandit/v1/config.pb.h"
#include "router/experiment/plan.h"

namespace bandit::simulation {

struct Contender {
  std::string label;
  bool configured = false;
  v1::PolicyConfig policy;  // Floor and all parameters given.
  // Of the one experiment, with this policy.
  std::shared_ptr<const experiment::Plan> plan;
};

struct Contenders {
  std::vector<Contender> all;  // The config's own first.
  // What does not fit the experiment: `name: why`.
  std::vector<std::string> left_out;
};

// `asked`: `name` or `name:parameter=value:...`, where `floor` is a parameter,
// too; empty: every policy there is. A floor that is not given is the config's
// own, unless one of the two is fixed_split: then the policy's default. What is
// asked for twice takes part once.
// REQUIRES: `config` passed config::Load and has the experiment.
// Fails with InvalidArgument if what is asked for is no policy, or has not such
// parameters.
absl::StatusOr<Contenders> MakeContenders(const v1::RouterConfig& config,
                                          std::string_view experiment,
                                          absl::Span<const std::string> asked);

}  // namespace bandit::simulation

#endif  // BANDIT_ROUTER_SIMULATION_CONTENDERS_H_
