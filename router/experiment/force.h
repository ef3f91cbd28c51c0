// SPDX-License-Identifier: Apache-2.0
// Arms that a request names itself, for tests.
#ifndef BANDIT_ROUTER_EXPERIMENT_FORCE_H_
#define BANDIT_ROUTER_EXPERIMENT_FORCE_H_

#include <optional>
#include <string_view>

#include "router/experiment/plan.h"
#include "router/http2/header.h"

namespace bandit::experiment {

struct ForcedArm {
  std::string_view name;
  // Empty: the experiment has no such arm.
  std::optional<size_t> arm;
};

// What the request names for the experiment: `arm`, unless it is an overlay,
// or `experiment/arm`; the first of those that it lists. Empty: nothing, or it
// may not.
// Cost: no allocation; O(1) where the experiment has no forced_arms.
std::optional<ForcedArm> FindForced(const Experiment& experiment,
                                    http2::Headers headers);

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_FORCE_H_
