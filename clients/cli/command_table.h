// SPDX-License-Identifier: Apache-2.0
// banditctl's commands, in one table: name, options, what runs.
#ifndef BANDIT_CLIENTS_CLI_COMMAND_TABLE_H_
#define BANDIT_CLIENTS_CLI_COMMAND_TABLE_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>

#include "clients/cli/result.h"

namespace bandit::cli {

// The command that a line names, bound to its flags. Empty before one is
// parsed.
using Chosen = std::function<Result()>;

// The whole command line. Parsing puts the command into `chosen`.
// Ownership: the app borrows `chosen`.
std::unique_ptr<CLI::App> MakeApp(Chosen* chosen);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_COMMAND_TABLE_H_
