// SPDX-License-Identifier: Apache-2.0
// What a command of banditctl ends with.
#ifndef BANDIT_CLIENTS_CLI_RESULT_H_
#define BANDIT_CLIENTS_CLI_RESULT_H_

#include <string>

namespace bandit::cli {

// Scripts rely on these; docs/banditctl.md and --help list them.
enum class ExitCode {
  kOk = 0,
  // The router could not be reached, did not answer in time or failed.
  kNoAnswer = 1,
  // The config or the command line is wrong.
  kInvalid = 2,
  // No experiment has this name.
  kUnknownExperiment = 3,
  // The router answered, and the reward does not count.
  kNotCounted = 4,
  // The experiment's state does not allow the act, or another must approve it.
  kRefused = 5,
  // The audit log is not as it was written.
  kBroken = 6,
};

struct Result {
  ExitCode code = ExitCode::kOk;
  // For standard output and standard error; lines end with \n.
  std::string out;
  std::string error;
};

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_RESULT_H_
