// SPDX-License-Identifier: Apache-2.0
#include "router/observe/code_name.h"

#include <array>
#include <string_view>

#include "fmt/format.h"

namespace bandit::observe {
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

}  // namespace bandit::observe
