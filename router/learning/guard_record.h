// SPDX-License-Identifier: Apache-2.0
// What guardrails remember, as the bytes that the store keeps.
#ifndef BANDIT_ROUTER_LEARNING_GUARD_RECORD_H_
#define BANDIT_ROUTER_LEARNING_GUARD_RECORD_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "router/guardrails/state.h"

namespace bandit::learning {

std::string Encode(const guardrails::GuardState& state);

// Fails with DataLoss if the bytes are no such state.
absl::StatusOr<guardrails::GuardState> DecodeGuard(std::string_view bytes);

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_GUARD_RECORD_H_
