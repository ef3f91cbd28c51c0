// SPDX-License-Identifier: Apache-2.0
// banditctl: from the command line to a command of command_table.cc, and from
// its result to the terminal.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "clients/cli/command_table.h"
#include "clients/cli/completion.h"

namespace {

using bandit::cli::ExitCode;
using bandit::cli::Result;

int Print(const Result& result) {
  std::fputs(result.error.c_str(), stderr);
  std::fputs(result.out.c_str(), stdout);
  if (std::fflush(stdout) != 0) {
    std::perror("banditctl: standard output");
    return static_cast<int>(ExitCode::kNoAnswer);
  }
  return static_cast<int>(result.code);
}

}  // namespace

int main(int argc, char** argv) {
  // gRPC's own log tells what the commands tell better.
  setenv("GRPC_VERBOSITY", "NONE", /*replace=*/0);
  bandit::cli::Chosen chosen;
  const auto app = bandit::cli::MakeApp(&chosen);
  app->set_version_flag("--version", "banditctl " BANDIT_VERSION);
  // What follows is a line half typed, which nothing may refuse.
  if (argc > 1 && std::string_view(argv[1]) == bandit::cli::kCompleteCommand) {
    return Print(bandit::cli::CompleteLine(
        *app, std::vector<std::string>(argv + 2, argv + argc)));
  }
  try {
    app->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // 0 for --help and --version.
    return app->exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kInvalid);
  }
  return Print(chosen());
}
