// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_split.h"
#include "clients/cli/commands.h"
#include "clients/cli/json.h"
#include "fmt/format.h"
#include "google/protobuf/struct.pb.h"
#include "router/config/describe.h"
#include "router/config/load.h"

namespace bandit::cli {
namespace {

// {"ok": ..., "errors": [...], "warnings": [...]}, an error a line of
// `messages`.
std::string Verdict(bool ok, std::string_view messages,
                    const std::vector<std::string>& warnings) {
  google::protobuf::Struct verdict;
  auto& fields = *verdict.mutable_fields();
  fields["ok"].set_bool_value(ok);
  auto* errors = fields["errors"].mutable_list_value();
  for (const auto line :
       absl::StrSplit(absl::string_view(messages.data(), messages.size()), '\n',
                      absl::SkipEmpty())) {
    errors->add_values()->set_string_value(std::string(line));
  }
  auto* doubts = fields["warnings"].mutable_list_value();
  for (const std::string& warning : warnings) {
    doubts->add_values()->set_string_value(warning);
  }
  return ToJson(verdict);
}

}  // namespace

Result Validate(const std::string& file, bool json) {
  const auto loaded = config::Load(file);
  if (!loaded.ok()) {
    const std::string messages(loaded.status().message());
    if (json) return {ExitCode::kInvalid, Verdict(false, messages, {}), ""};
    return {ExitCode::kInvalid, "", messages + "\n"};
  }
  if (json) return {ExitCode::kOk, Verdict(true, "", loaded->warnings), ""};
  std::string warnings;
  for (const std::string& warning : loaded->warnings) {
    warnings += fmt::format("warning: {}\n", warning);
  }
  return {ExitCode::kOk,
          fmt::format("{}: {}\n", file, config::Summary(loaded->proto)),
          warnings};
}

}  // namespace bandit::cli
