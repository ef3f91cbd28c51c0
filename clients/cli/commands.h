// SPDX-License-Identifier: Apache-2.0
// The commands of banditctl, apart from their flags. They print nothing:
// what they have to say is in the result.
#ifndef BANDIT_CLIENTS_CLI_COMMANDS_H_
#define BANDIT_CLIENTS_CLI_COMMANDS_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "clients/cli/result.h"
#include "clients/cli/router_call.h"

namespace bandit::cli {

// Says whether the file is a config that the router would take, as
// `bandit-router --check` does: the same reader, and the same environment.
Result Validate(const std::string& file, bool json);

// What the router's experiments are doing, or the one of that name if
// `experiment` is not empty. Ages are told as of `now`.
Result Status(const RouterAddress& router, const std::string& experiment,
              bool json, absl::Time now);

// Undoes what guardrails did to an experiment.
Result Reinstate(const RouterAddress& router, const std::string& experiment,
                 const std::string& reason, bool json);

struct RewardOptions {
  // One of the two: the `x-bandit-decision` of a response, or the id that its
  // request had.
  std::string decision;
  std::string request_id;
  // Empty: the experiment's reward metric.
  std::string metric;
  double value = 0;
};

// Sends one reward and says what became of it.
Result SendReward(const RouterAddress& router, const RewardOptions& options,
                  bool json);

struct ReportOptions {
  std::string experiment;
  bool json = false;
  bool csv = false;
  // A file for the page; `-` is standard output. Empty: none.
  std::string html;
};

// What an experiment of the router has shown, and what to do next.
Result Report(const RouterAddress& router, const ReportOptions& options);

// The acts on an experiment, by their verbs: start, pause, resume, promote,
// rollback, conclude, reset, approve.
struct ActOptions {
  std::string verb;
  std::string experiment;
  std::string arm;  // Of promote.
  std::string who;
  std::string why;
};

// Asks for the act and says where the experiment stands then.
Result Act(const RouterAddress& router, const ActOptions& options, bool json);

struct AuditOptions {
  std::string experiment;  // Empty: all.
  uint32_t last = 50;
};

// Who did what, and whether the log is as it was written.
Result Audit(const RouterAddress& router, const AuditOptions& options,
             bool json);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_COMMANDS_H_
