// SPDX-License-Identifier: Apache-2.0
#include "router/config/checks.h"

#include <algorithm>
#include <cstddef>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "router/config/nearest.h"

namespace bandit::config {

void CheckNames(const std::vector<Path>& items,
                const std::vector<std::string>& names, Report* report) {
  absl::flat_hash_map<std::string_view, size_t> first;
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) continue;
    const Path place = items[i].Field("name");
    if (!IsName(names[i])) {
      report->FailValue(place, names[i],
                        "is not a name, expected 1 to 128 letters, digits, "
                        "_, - and .");
      continue;
    }
    auto [it, fresh] = first.try_emplace(names[i], i);
    if (!fresh) {
      const int line = report->Line(items[it->second].Field("name"));
      report->FailValue(
          place, names[i],
          fmt::format("is a duplicate of line {}, expected another name",
                      line));
    }
  }
}

void CheckReference(const Path& path, std::string_view name,
                    std::string_view what,
                    const std::vector<std::string>& known, Report* report) {
  // An empty one could not be read: it may be the one that is meant.
  if (name.empty()) return;
  std::vector<std::string> fit;  // What is no name is not fit to be shown.
  for (const std::string& one : known) {
    if (one.empty() || one == name) return;
    if (IsName(one)) fit.push_back(one);
  }
  report->FailValue(path, name,
                    fmt::format("is not one of the {}, expected {}{}", what,
                                AnyOf(fit), DidYouMean(name, fit)));
}

std::string WhyNoMetadataKey(std::string_view key) {
  const auto fits = [](std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) {
             return absl::ascii_islower(c) || absl::ascii_isdigit(c) ||
                    c == '_' || c == '-' || c == '.';
           });
  };
  if (fits(key)) return "";
  if (key.starts_with(':')) {
    return "is a pseudo-header, expected a metadata key";
  }
  std::string lower(key);
  absl::AsciiStrToLower(&lower);
  if (fits(lower)) {
    return fmt::format(
        "has upper-case letters, expected a metadata key in lower case, did "
        "you mean {}?",
        Quoted(lower));
  }
  return "is not a metadata key, expected lower-case letters, digits, _, - "
         "and .";
}

void CheckMetadataKey(const Path& path, std::string_view key, Report* report) {
  if (key.empty()) return;
  const std::string problem = WhyNoMetadataKey(key);
  if (!problem.empty()) report->FailValue(path, key, problem);
}

bool IsMetadataValue(std::string_view value) {
  return std::all_of(value.begin(), value.end(),
                     [](unsigned char c) { return c >= 0x20 && c < 0x7F; }) &&
         !value.starts_with(' ') && !value.ends_with(' ');
}

}  // namespace bandit::config
