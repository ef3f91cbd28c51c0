// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/exit_codes.h"

#include "fmt/format.h"

namespace bandit::cli {
namespace {

constexpr ExitMeaning kMeanings[] = {
    {ExitCode::kOk, "done; for a reward: ACCEPTED or DUPLICATE"},
    {ExitCode::kNoAnswer,
     "the router cannot be reached, does not answer in time or failed"},
    {ExitCode::kInvalid, "the config or the command line is wrong"},
    {ExitCode::kUnknownExperiment,
     "the router has no experiment, or the experiment no arm, of that name"},
    {ExitCode::kNotCounted,
     "the reward does not count: LATE, UNKNOWN or REJECTED"},
    {ExitCode::kRefused,
     "the router refuses: the experiment's state, a missing approval or token"},
    {ExitCode::kBroken, "the audit log is not as it was written"},
};

}  // namespace

absl::Span<const ExitMeaning> ExitMeanings() { return kMeanings; }

std::string RenderExitCodes() {
  std::string text = "Exit codes:\n";
  for (const ExitMeaning& row : kMeanings) {
    text += fmt::format("  {}  {}\n", static_cast<int>(row.code), row.meaning);
  }
  return text;
}

}  // namespace bandit::cli
