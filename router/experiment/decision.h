// SPDX-License-Identifier: Apache-2.0
// One decision: what the token carries and a reward is credited by.
#ifndef BANDIT_ROUTER_EXPERIMENT_DECISION_H_
#define BANDIT_ROUTER_EXPERIMENT_DECISION_H_

#include <cstdint>

#include "absl/container/inlined_vector.h"

namespace bandit::experiment {

struct Decision {
  // ExperimentId(name): a token does not carry the name.
  uint32_t experiment = 0;
  uint32_t epoch = 0;
  uint32_t arm = 0;
  // The probability that the arm really had; in (0, 1].
  double propensity = 1;
  // Unix time.
  int64_t time_ms = 0;
  // Random.
  uint64_t id = 0;
  // Hash of the unit; `id` for a request that is its own unit.
  uint64_t unit = 0;
  // Of what the router's reports look at one by one, see segments.h. 0: none.
  uint32_t segments = 0;
  // Known of the unit before; finite.
  float covariate = 0;
  // The feature vector that the model saw; empty without context.
  absl::InlinedVector<float, 16> features;

  friend bool operator==(const Decision&, const Decision&) = default;
};

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_DECISION_H_
