// SPDX-License-Identifier: Apache-2.0
// Why a call did not succeed, in words for the person at the terminal: gRPC's
// own messages speak of subchannels.
#ifndef BANDIT_CLIENTS_CLI_CALL_FAILURE_H_
#define BANDIT_CLIENTS_CLI_CALL_FAILURE_H_

#include <string>

#include "clients/cli/router_call.h"
#include "grpcpp/grpcpp.h"

namespace bandit::cli {

// One line: what is wrong, at which address, and what to look at. `connected`:
// a connection stood when the call ended, so that the status is an answer.
std::string DescribeFailure(const grpc::Status& status, bool connected,
                            const RouterAddress& router);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_CALL_FAILURE_H_
