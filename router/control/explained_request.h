// SPDX-License-Identifier: Apache-2.0
// The request that is explained: what was asked about, completed from a match
// rule of the experiment.
#ifndef BANDIT_ROUTER_CONTROL_EXPLAINED_REQUEST_H_
#define BANDIT_ROUTER_CONTROL_EXPLAINED_REQUEST_H_

#include <vector>

#include "absl/status/statusor.h"
#include "bandit/v1/admin.pb.h"
#include "router/experiment/plan.h"
#include "router/http2/header.h"

namespace bandit::control {

// Fills in what `asked` leaves empty, as ExplainRequest says.
// Fails with InvalidArgument for a unit that the experiment does not ask for
// and for metadata whose key no request can have.
absl::StatusOr<v1::ExplainedRequest> CompleteRequest(
    const experiment::Experiment& experiment, const v1::ExplainRequest& asked);

// As the router reads them of a request. Ownership: borrows `request`.
std::vector<http2::Header> HeadersOf(const v1::ExplainedRequest& request);

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_EXPLAINED_REQUEST_H_
