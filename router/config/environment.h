// SPDX-License-Identifier: Apache-2.0
// `${NAME}` and `${NAME:-default}` in the values of the config.
#ifndef BANDIT_ROUTER_CONFIG_ENVIRONMENT_H_
#define BANDIT_ROUTER_CONFIG_ENVIRONMENT_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace bandit::config {

// The value of a variable; nullopt if it is not set.
using Environment =
    std::function<std::optional<std::string>(std::string_view name)>;

// The process's own.
Environment ProcessEnvironment();

struct Expansion {
  std::string text;
  // A variable's value is part of the text.
  bool from_environment = false;
  // The first variable that was not set and had no default.
  std::string unset;
};

// Replaces `${NAME}` by the variable's value, or nothing if it is not set, and
// `${NAME:-default}` by the default if the variable is not set or empty.
// `$${` stands for `${`; any other `$` for itself. What is put in is not
// looked at again.
// Fails with InvalidArgument ("what is wrong, what was expected", never a
// variable's value) on an unclosed or ill-named reference, a reference inside
// a default, a value that is no UTF-8, or more than 64 KiB of text.
absl::StatusOr<Expansion> Expand(std::string_view text, const Environment& env);

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_ENVIRONMENT_H_
