// SPDX-License-Identifier: Apache-2.0
// Under which names the dashboard may be called.
#ifndef BANDIT_ROUTER_DASHBOARD_HOST_H_
#define BANDIT_ROUTER_DASHBOARD_HOST_H_

#include <string>
#include <string_view>
#include <vector>

namespace bandit::dashboard {

// A page of somebody else's may point its own name at this server's address
// (DNS rebinding) and then read what its visitors can reach. So a `host` (with
// or without a port) is taken only if nobody outside can own it: an address,
// localhost, a name without a dot, one below .localhost, .local, .internal,
// .svc or .cluster.local; or if it is one of `allowed`.
bool IsTrustedHost(std::string_view host,
                   const std::vector<std::string>& allowed);

}  // namespace bandit::dashboard

#endif  // BANDIT_ROUTER_DASHBOARD_HOST_H_
