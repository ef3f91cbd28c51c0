// SPDX-License-Identifier: Apache-2.0
// What the command line of a command of banditctl gives.
#ifndef BANDIT_CLIENTS_CLI_FLAGS_H_
#define BANDIT_CLIENTS_CLI_FLAGS_H_

#include <string>

#include "clients/cli/commands.h"
#include "clients/cli/explain.h"
#include "clients/cli/power.h"
#include "clients/cli/simulate.h"
#include "clients/cli/watch.h"

namespace bandit::cli {

// Each command has its own: CLI11 puts a value of the environment even into
// commands that were not asked for.
struct Flags {
  RouterAddress router;
  double timeout_seconds = 5;
  bool json = false;
  std::string file;
  std::string experiment;
  std::string reason;
  std::string shell;
  RewardOptions reward;
  ReportOptions report;
  PowerOptions power;
  SimulateOptions simulate;
  ActOptions act;
  AuditOptions audit;
  ExplainOptions explain;
  WatchOptions watch;

  RouterAddress Router() const {
    RouterAddress given = router;
    given.timeout = absl::Seconds(timeout_seconds);
    return given;
  }
};

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_FLAGS_H_
