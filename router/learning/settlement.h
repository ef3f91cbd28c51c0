// SPDX-License-Identifier: Apache-2.0
// The rewards of several calls in one transaction: put together before it,
// told apart after it.
#ifndef BANDIT_ROUTER_LEARNING_SETTLEMENT_H_
#define BANDIT_ROUTER_LEARNING_SETTLEMENT_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "router/experiment/plan.h"
#include "router/learning/ledger.h"
#include "router/learning/reward.h"
#include "router/learning/reward_queue.h"
#include "router/learning/silence.h"
#include "router/learning/telemetry.h"

namespace bandit::learning {

// Moves the rewards out of the batches into one list, in their order.
std::vector<Reward> Gather(absl::Span<RewardBatch> batches,
                           std::vector<size_t>* ends);

// Answers each batch with its part of the verdicts, or all with why nothing
// was taken. `ends` is Gather's; `why` says why the reward of that place in
// Gather's list does not count.
void Answer(absl::Span<RewardBatch> batches, absl::Span<const size_t> ends,
            const absl::StatusOr<std::vector<Verdict>>& verdicts,
            absl::FunctionRef<std::string(size_t)> why);

// Counts what became of rewards, and which experiments were heard of.
void CountVerdicts(absl::Span<const Verdict> verdicts,
                   const experiment::Plan& plan, Telemetry* telemetry,
                   SilenceMonitor* silence);

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_SETTLEMENT_H_
