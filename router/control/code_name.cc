// SPDX-License-Identifier: Apache-2.0
#include "router/control/code_name.h"

#include <array>
#include <string_view>

#include "fmt/format.h"

namespace bandit::control {
namespace {

constexpr std::array<std::string_view, 17> kNames = {
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
};

}  // namespace

std::string CodeName(int code) {
  if (code >= 0 && code < static_cast<int>(kNames.size())) {
    return std::string(kNames[static_cast<size_t>(code)]);
  }
  return fmt::format("HTTP_{}", code);
}

void ForEachCode(
    const learning::CallCounts& counts,
    absl::FunctionRef<void(const std::string& name, uint64_t count)> visit) {
  for (size_t code = 0; code < counts.grpc_codes.size(); ++code) {
    if (counts.grpc_codes[code] > 0) {
      visit(CodeName(static_cast<int>(code)), counts.grpc_codes[code]);
    }
  }
  for (const auto& [code, count] : counts.http_codes) {
    visit(CodeName(code), count);
  }
}

}  // namespace bandit::control
