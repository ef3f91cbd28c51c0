// SPDX-License-Identifier: Apache-2.0
// What banditctl's exit codes mean: the one table that --help prints and
// docs/banditctl.md must agree with.
#ifndef BANDIT_CLIENTS_CLI_EXIT_CODES_H_
#define BANDIT_CLIENTS_CLI_EXIT_CODES_H_

#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "clients/cli/result.h"

namespace bandit::cli {

struct ExitMeaning {
  ExitCode code;
  std::string_view meaning;
};

// Each code once, ascending.
absl::Span<const ExitMeaning> ExitMeanings();

// The same for --help, a line a code.
std::string RenderExitCodes();

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_EXIT_CODES_H_
