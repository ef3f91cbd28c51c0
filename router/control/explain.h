// SPDX-License-Identifier: Apache-2.0
// Why a request gets its arm: the request path's own steps, on a request that
// nobody sent.
//
// Each verdict comes from the function that decides it for real requests; this
// file only asks them in the same order (ArmChoice::Draw) and writes down what
// they say.
#ifndef BANDIT_ROUTER_CONTROL_EXPLAIN_H_
#define BANDIT_ROUTER_CONTROL_EXPLAIN_H_

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "bandit/v1/admin.pb.h"
#include "router/learning/snapshot.h"
#include "router/learning/view.h"

namespace bandit::control {

// Why no worker can reach the plan's backend; empty: one can, or it is not
// known.
using WhyDown = absl::FunctionRef<std::string(size_t backend)>;

// `view` is of the snapshot's plan, or of one close in time: it only gives the
// reasons for which guardrails took arms out.
// Fails with NotFound for an experiment that the plan does not have,
// InvalidArgument for a unit that the experiment does not ask for and for
// metadata whose key no request can have.
// Determinism: the arguments.
// Cost: that of a decision, and some strings.
absl::StatusOr<v1::Explanation> Explain(const learning::Snapshot& snapshot,
                                        const learning::View& view,
                                        const v1::ExplainRequest& asked,
                                        WhyDown why_down);

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_EXPLAIN_H_
