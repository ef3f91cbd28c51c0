// SPDX-License-Identifier: Apache-2.0
// How many calls ended in which way, by observe::CodeName.
#ifndef BANDIT_ROUTER_CONTROL_CODE_NAME_H_
#define BANDIT_ROUTER_CONTROL_CODE_NAME_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "router/learning/worker_statistics.h"

namespace bandit::control {

// Every code that occurred, with its count.
void ForEachCode(
    const learning::CallCounts& counts,
    absl::FunctionRef<void(const std::string& name, uint64_t count)> visit);

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_CODE_NAME_H_
