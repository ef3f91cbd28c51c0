// SPDX-License-Identifier: Apache-2.0
// Notices experiments that get decisions but no rewards: the loop that
// silently learns nothing.
#ifndef BANDIT_ROUTER_LEARNING_SILENCE_H_
#define BANDIT_ROUTER_LEARNING_SILENCE_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "router/learning/reward.h"

namespace bandit::learning {

// Experiments by name; only those whose reward metric is fed back.
// Thread-safety: none.
class SilenceMonitor {
 public:
  explicit SilenceMonitor(absl::Duration patience) : patience_(patience) {}

  void OnDecisions(std::string_view experiment, uint64_t count, absl::Time now);
  // A reward for the experiment's reward metric, or one that may be meant to
  // be it.
  void OnReward(std::string_view experiment, Outcome outcome, uint64_t times);

  void set_patience(absl::Duration patience) { patience_ = patience; }

  // Whether decisions have waited for a reward for the whole patience. Logs
  // one line when that begins and one when it ends.
  bool Check(std::string_view experiment, std::string_view metric,
             absl::Time now);

 private:
  struct State {
    // Of the first decision since the last accepted reward.
    absl::Time waiting_since = absl::InfiniteFuture();
    uint64_t decisions = 0;
    std::array<uint64_t, kOutcomes> outcomes{};
    bool silent = false;
  };

  absl::Duration patience_;
  std::map<std::string, State, std::less<>> states_;
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_SILENCE_H_
