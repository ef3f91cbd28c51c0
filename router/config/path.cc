// SPDX-License-Identifier: Apache-2.0
#include "router/config/path.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "router/config/report.h"

namespace bandit::config {

bool IsName(std::string_view name) {
  constexpr size_t kMaxLength = 128;
  return !name.empty() && name.size() <= kMaxLength &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '_' || c == '-' || c == '.';
         });
}

Path Path::Append(std::string_view key, std::string shown) const {
  Path path;
  path.key_ = fmt::format("{}/{}", key_, key);
  path.shown_ = std::move(shown);
  return path;
}

Path Path::Field(std::string_view name) const {
  return Append(name,
                top() ? std::string(name) : fmt::format("{}.{}", shown_, name));
}

Path Path::Item(size_t index, std::string_view name) const {
  return Append(std::to_string(index),
                IsName(name) ? fmt::format("{}.{}", shown_, name)
                             : fmt::format("{}[{}]", shown_, index));
}

Path Path::Entry(std::string_view key) const {
  // Any text can be a key: what would break the line is escaped.
  if (top()) return Append(key, IsName(key) ? std::string(key) : Quoted(key));
  return Append(key, IsName(key) ? fmt::format("{}.{}", shown_, key)
                                 : fmt::format("{}[{}]", shown_, Quoted(key)));
}

}  // namespace bandit::config
