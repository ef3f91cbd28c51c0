// SPDX-License-Identifier: Apache-2.0
// Why a reward does not count, in words for the one who sent it: an outcome
// alone tells him that something is wrong, not what.
#ifndef BANDIT_ROUTER_LEARNING_REFUSAL_H_
#define BANDIT_ROUTER_LEARNING_REFUSAL_H_

#include <string>

#include "absl/time/time.h"
#include "router/experiment/plan.h"
#include "router/learning/ledger.h"
#include "router/learning/reward.h"

namespace bandit::learning {

// What stands against the reward and what would mend it. `verdict` is the
// ledger's, by `plan`, and is LATE, UNKNOWN or REJECTED; `now` is when it was
// given, or a little later. Pure.
std::string WhyRefused(const Reward& reward, const Verdict& verdict,
                       const experiment::Plan& plan, absl::Time now);

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_REFUSAL_H_
