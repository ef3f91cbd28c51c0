// SPDX-License-Identifier: Apache-2.0
// What an act on an experiment makes of its life. Pure: nothing is written.
#ifndef BANDIT_ROUTER_LEARNING_ACT_H_
#define BANDIT_ROUTER_LEARNING_ACT_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "router/experiment/plan.h"
#include "router/learning/life.h"

namespace bandit::learning {

// Who acts where guardrails do.
inline constexpr std::string_view kByGuardrails = "guardrails";

// What someone wants done.
struct ActRequest {
  std::string experiment;
  experiment::Act act = experiment::Act::kStart;
  std::string arm;  // To promote.
  std::string who;
  bool proven = false;  // A token or a certificate has shown who it is.
  std::string why;
};

// Whether another must approve the act on an experiment in this state.
bool NeedsApproval(const experiment::Approval& approval,
                   experiment::State state, experiment::Act act);

// Makes `life` what the act makes of it; what has changed, in words for the
// audit log. Fails with FailedPrecondition where the state does not allow it,
// NotFound for an arm that the experiment does not have; `life` is undefined
// then.
absl::StatusOr<std::string> ChangeLife(const experiment::Experiment& experiment,
                                       const ActRequest& request,
                                       absl::Time now, Life* life);

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_ACT_H_
