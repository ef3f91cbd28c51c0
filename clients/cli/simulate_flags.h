// SPDX-License-Identifier: Apache-2.0
// The flags of `banditctl simulate`.
#ifndef BANDIT_CLIENTS_CLI_SIMULATE_FLAGS_H_
#define BANDIT_CLIENTS_CLI_SIMULATE_FLAGS_H_

#include "clients/cli/simulate.h"

namespace CLI {
class App;
}

namespace bandit::cli {

// `options` must live as long as the command.
void AddSimulateFlags(CLI::App* command, SimulateOptions* options);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_SIMULATE_FLAGS_H_
