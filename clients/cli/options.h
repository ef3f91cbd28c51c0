// SPDX-License-Identifier: Apache-2.0
// The options and positionals of banditctl's commands, as CLI11 has them.
//
// A positional's name, or an option's type name, says what its value is:
// EXPERIMENT, ARM, METRIC, SHELL or FILE. Shell completion goes by them.
#ifndef BANDIT_CLIENTS_CLI_OPTIONS_H_
#define BANDIT_CLIENTS_CLI_OPTIONS_H_

#include <CLI/CLI.hpp>

#include "clients/cli/flags.h"

namespace bandit::cli {

// Ownership: the command borrows `flags` for as long as it parses.
void AddFile(CLI::App* command, Flags* flags);
void AddOneOrAll(CLI::App* command, Flags* flags);
void AddExperiment(CLI::App* command, Flags* flags);
void AddWatch(CLI::App* command, Flags* flags);
void AddReport(CLI::App* command, Flags* flags);
void AddExplain(CLI::App* command, Flags* flags);
void AddReward(CLI::App* command, Flags* flags);
void AddAct(CLI::App* command, Flags* flags);
void AddPromote(CLI::App* command, Flags* flags);
void AddReinstate(CLI::App* command, Flags* flags);
void AddAudit(CLI::App* command, Flags* flags);
void AddPower(CLI::App* command, Flags* flags);
void AddShell(CLI::App* command, Flags* flags);

// Where the router is, and how it is spoken to.
void AddRouter(CLI::App* command, Flags* flags);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_OPTIONS_H_
