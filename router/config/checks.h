// SPDX-License-Identifier: Apache-2.0
// Checks that several parts of the config share: names, references to them,
// metadata keys.
#ifndef BANDIT_ROUTER_CONFIG_CHECKS_H_
#define BANDIT_ROUTER_CONFIG_CHECKS_H_

#include <string>
#include <string_view>
#include <vector>

#include "router/config/report.h"

namespace bandit::config {

// The places of a list's items, by their names.
template <typename Items>
std::vector<Path> ItemPaths(const Path& list, const Items& items) {
  std::vector<Path> paths;
  for (const auto& item : items) {
    paths.push_back(list.Item(paths.size(), item.name()));
  }
  return paths;
}

template <typename Items>
std::vector<std::string> NamesOf(const Items& items) {
  std::vector<std::string> names;
  for (const auto& item : items) names.push_back(item.name());
  return names;
}

// Reports names[i], of the item at items[i], if it is no name or came before.
// What is empty was reported by the reader.
void CheckNames(const std::vector<Path>& items,
                const std::vector<std::string>& names, Report* report);

// Reports `name`, the value at `path`, unless it is one of `known`. `what` is
// the word for them: "backends".
void CheckReference(const Path& path, std::string_view name,
                    std::string_view what,
                    const std::vector<std::string>& known, Report* report);

// "is ..., expected ..." if `key` cannot be the key of gRPC metadata
// (lower-case letters, digits, `_`, `-` and `.`); empty if it can.
std::string WhyNoMetadataKey(std::string_view key);

// Reports `key`, the value at `path`, if it cannot be one. What is empty was
// reported by the reader.
void CheckMetadataKey(const Path& path, std::string_view key, Report* report);

// Visible ASCII, with spaces inside: what a header's value can be.
bool IsMetadataValue(std::string_view value);

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_CHECKS_H_
