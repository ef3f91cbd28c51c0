// SPDX-License-Identifier: Apache-2.0
// A YAML file as a tree of values that know their lines.
//
// Why not YAML::Node: it forgets where keys stand, drops duplicate keys
// silently, and shares what aliases stand for, so that a file of a few hundred
// bytes can mean billions of values. This tree is bounded in depth and size.
#ifndef BANDIT_ROUTER_CONFIG_DOCUMENT_H_
#define BANDIT_ROUTER_CONFIG_DOCUMENT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "router/config/report.h"

namespace bandit::config {

// The limit of a Kubernetes ConfigMap.
inline constexpr size_t kMaxFileBytes = size_t{1} << 20;
inline constexpr size_t kMaxDepth = 32;

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  struct Entry;

  Kind kind = Kind::kNull;
  int line = 1;
  std::string text;             // kScalar
  std::vector<YamlNode> items;  // kList
  std::vector<Entry> entries;   // kMap; as written, duplicate keys included
};

struct YamlNode::Entry {
  std::string key;
  int line = 1;  // Of the key.
  YamlNode value;
};

// Fails, with one error in `report`, if `text` is no single YAML document with
// a map at the top, is no UTF-8, or is too large or too deep. Aliases are
// expanded. `fields`: what a file must have, for messages.
// Cost: O(size); at most some 100 bytes of memory for each byte of text.
std::optional<YamlNode> ParseDocument(
    std::string_view text, Report* report,
    std::string_view fields = "`backends` and `experiments`");

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_DOCUMENT_H_
