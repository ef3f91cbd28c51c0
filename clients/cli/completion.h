// SPDX-License-Identifier: Apache-2.0
// What a shell may offer for a line of banditctl that is half typed.
//
// The shells' scripts hold no lists: at each Tab they ask banditctl, which
// looks at its own CLI11 app, so that what is offered cannot differ from what
// is taken. Names of experiments, arms and metrics come from the router.
#ifndef BANDIT_CLIENTS_CLI_COMPLETION_H_
#define BANDIT_CLIENTS_CLI_COMPLETION_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "bandit/v1/admin.pb.h"
#include "clients/cli/result.h"
#include "clients/cli/router_call.h"

namespace bandit::cli {

// `banditctl __complete WORD...`: the words after the program's name, the last
// one, maybe empty, up to the cursor.
inline constexpr std::string_view kCompleteCommand = "__complete";

struct Suggestion {
  std::string word;
  std::string description;  // One line; may be empty.
};

struct Suggestions {
  std::vector<Suggestion> words;
  // Names of files fit here.
  bool files = false;
};

// What the router is doing, asked for only where its names are wanted.
using AskRouter =
    std::function<absl::StatusOr<v1::RouterStatus>(const RouterAddress&)>;

// Those that begin with the last of `words`, in the app's order.
// Determinism: the arguments, the environment for what options take from it,
// and the router's answer.
Suggestions Suggest(const CLI::App& app, const std::vector<std::string>& words,
                    const AskRouter& ask);

// The same, for the scripts: a line a suggestion, "word<Tab>description", and
// ":files" where files fit. Never fails: a router that does not answer within
// a second has no names.
Result CompleteLine(const CLI::App& app, const std::vector<std::string>& words);

// The script for `shell` (bash, zsh or fish). REQUIRES: it is one of these.
Result CompletionScript(const std::string& shell, bool json);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_COMPLETION_H_
