// SPDX-License-Identifier: Apache-2.0
// The router's status for people.
#ifndef BANDIT_CLIENTS_CLI_STATUS_TEXT_H_
#define BANDIT_CLIENTS_CLI_STATUS_TEXT_H_

#include <string>

#include "absl/time/time.h"
#include "bandit/v1/admin.pb.h"

namespace bandit::cli {

// The router in one line, a line if it is degraded, and for each experiment a
// table of its arms, its errors by code and its rewards by outcome. "-" stands
// where there is nothing to tell yet. Ages are as of `now`; a clock that is
// behind the router's gives 0.
std::string RenderStatus(const v1::RouterStatus& status, absl::Time now);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_STATUS_TEXT_H_
