// SPDX-License-Identifier: Apache-2.0
// Which of an experiment's requests are in it, as far as that changes while a
// plan serves: its state and its ramp.
#ifndef BANDIT_ROUTER_EXPERIMENT_EXPOSURE_H_
#define BANDIT_ROUTER_EXPERIMENT_EXPOSURE_H_

#include <cstddef>

#include "router/experiment/lifecycle.h"

namespace bandit::experiment {

struct Exposure {
  // Any but running: none is in it.
  State state = State::kRunning;
  // What those get that are not; an index into the experiment's arms.
  size_t arm = 0;
  // The share of the units that the ramp lets in.
  double share = 1;

  friend bool operator==(const Exposure&, const Exposure&) = default;
};

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_EXPOSURE_H_
