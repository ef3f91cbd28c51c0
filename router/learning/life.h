// SPDX-License-Identifier: Apache-2.0
// Where an experiment stands in its life cycle, and how the state keeps it.
#ifndef BANDIT_ROUTER_LEARNING_LIFE_H_
#define BANDIT_ROUTER_LEARNING_LIFE_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "router/experiment/lifecycle.h"

namespace bandit::learning {

struct Life {
  // What was asked for and waits for another's approval.
  struct Pending {
    experiment::Act act = experiment::Act::kStart;
    std::string arm;  // To promote.
    std::string who;
    std::string why;
    absl::Time asked;

    friend bool operator==(const Pending&, const Pending&) = default;
  };

  experiment::State state = experiment::State::kRunning;
  std::string arm;  // The promoted one; empty: none.
  // When and by whom state or stage were last changed.
  absl::Time changed = absl::UnixEpoch();
  std::string who;
  std::string why;
  experiment::RampProgress ramp;
  // What the stage let in when it was written down; see FitRamp.
  double share = 1;
  // Who let the ramp go on last.
  std::string ramp_by;
  std::optional<Pending> pending;

  friend bool operator==(const Life&, const Life&) = default;
};

// v1.LifecycleRecord's bytes.
std::string EncodeLife(const Life& life);
// Fails with DataLoss if they are not.
absl::StatusOr<Life> DecodeLife(std::string_view bytes);

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_LIFE_H_
