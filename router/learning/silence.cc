// SPDX-License-Identifier: Apache-2.0
#include "router/learning/silence.h"

#include <string>

#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace bandit::learning {

void SilenceMonitor::OnDecisions(std::string_view experiment, uint64_t count,
                                 absl::Time now) {
  if (count == 0) return;
  State& state = states_[std::string(experiment)];
  if (state.decisions == 0) state.waiting_since = now;
  state.decisions += count;
}

void SilenceMonitor::OnReward(std::string_view experiment, Outcome outcome,
                              uint64_t times) {
  State& state = states_[std::string(experiment)];
  if (outcome != Outcome::kAccepted) {
    state.outcomes[Index(outcome)] += times;
    return;
  }
  if (state.silent) {
    spdlog::info("experiment {}: rewards come in again", experiment);
  }
  state = State{};
}

bool SilenceMonitor::Check(std::string_view experiment, std::string_view metric,
                           absl::Time now) {
  const auto found = states_.find(experiment);
  if (found == states_.end()) return false;
  State& state = found->second;
  if (!state.silent && now - state.waiting_since >= patience_) {
    state.silent = true;
    std::string others;
    for (const Outcome outcome : {Outcome::kDuplicate, Outcome::kLate,
                                  Outcome::kUnknown, Outcome::kRejected}) {
      if (const uint64_t count = state.outcomes[Index(outcome)]; count > 0) {
        others += fmt::format(" {} {}", count, Name(outcome));
      }
    }
    spdlog::warn(
        "experiment {}: {} decisions in {} and no reward of metric {} "
        "accepted (others:{}); nothing is learned. Send each response's "
        "x-bandit-decision back through bandit.v1.Feedback/Record",
        experiment, state.decisions,
        absl::FormatDuration(
            absl::Trunc(now - state.waiting_since, absl::Seconds(1))),
        metric, others.empty() ? " none" : others);
  }
  return state.silent;
}

}  // namespace bandit::learning
