// SPDX-License-Identifier: Apache-2.0
#include "router/config/environment.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "router/text/utf8.h"

namespace bandit::config {
namespace {

constexpr size_t kMaxText = size_t{64} << 10;

bool IsVariable(std::string_view name) {
  return !name.empty() && !absl::ascii_isdigit(name[0]) &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '_';
         });
}

// Appends what `reference`, the text between ${ and }, stands for.
absl::Status ExpandOne(std::string_view reference, const Environment& env,
                       Expansion* expansion) {
  const size_t separator = reference.find(":-");
  const bool has_default = separator != std::string_view::npos;
  const std::string_view name = reference.substr(0, separator);
  if (!IsVariable(name)) {
    return absl::InvalidArgumentError(
        "has a ${...} that names no environment variable, expected ${NAME} or "
        "${NAME:-default}");
  }
  const std::string_view fallback =
      has_default ? reference.substr(separator + 2) : std::string_view();
  if (fallback.find("${") != std::string_view::npos) {
    return absl::InvalidArgumentError(
        "has a ${...} inside the default of another, expected plain text");
  }
  const std::optional<std::string> value = env(name);
  if (value.has_value() && !(has_default && value->empty())) {
    if (!text::IsUtf8(*value)) {
      return absl::InvalidArgumentError(fmt::format(
          "reads the environment variable {}, which is not UTF-8, expected "
          "UTF-8 text",
          name));
    }
    expansion->from_environment = true;
    expansion->text += *value;
  } else if (has_default) {
    expansion->text += fallback;
  } else if (expansion->unset.empty()) {
    expansion->unset = name;
  }
  return absl::OkStatus();
}

}  // namespace

Environment ProcessEnvironment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

absl::StatusOr<Expansion> Expand(std::string_view text,
                                 const Environment& env) {
  Expansion expansion;
  while (true) {
    const size_t begin = text.find("${");
    const bool escaped =
        begin != std::string_view::npos && begin > 0 && text[begin - 1] == '$';
    expansion.text += text.substr(0, escaped ? begin - 1 : begin);
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin + 2);
    if (escaped) {
      expansion.text += "${";
      continue;
    }
    const size_t end = text.find('}');
    if (end == std::string_view::npos) {
      return absl::InvalidArgumentError(
          "has a ${ that is not closed, expected ${NAME}, or $${ for the "
          "characters ${");
    }
    absl::Status status = ExpandOne(text.substr(0, end), env, &expansion);
    if (!status.ok()) return status;
    if (expansion.text.size() > kMaxText) break;
    text.remove_prefix(end + 1);
  }
  if (expansion.text.size() > kMaxText) {
    return absl::InvalidArgumentError(
        fmt::format("is longer than {0} bytes, its ${{...}} replaced, expected "
                    "at most {0}",
                    kMaxText));
  }
  return expansion;
}

}  // namespace bandit::config
