// SPDX-License-Identifier: Apache-2.0
// A place in the config: `experiments.ranker.policy.floor`.
//
// Two spellings: one unique, by which lines are looked up, and one as people
// read it, where the items of a list go by their names.
#ifndef BANDIT_ROUTER_CONFIG_PATH_H_
#define BANDIT_ROUTER_CONFIG_PATH_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace bandit::config {

// Whether `name` may name an experiment, an arm, a backend, a metric or a
// feature: 1 to 128 letters, digits, `_`, `-` and `.`.
bool IsName(std::string_view name);

class Path {
 public:
  // The top level.
  Path() = default;

  Path Field(std::string_view name) const;
  // The item of a list, shown by `name` if that is a fit one.
  Path Item(size_t index, std::string_view name) const;
  // The value of a key in a map.
  Path Entry(std::string_view key) const;

  const std::string& key() const { return key_; }
  // "top level" for the top level.
  const std::string& shown() const { return shown_; }
  bool top() const { return key_.empty(); }

 private:
  Path Append(std::string_view key, std::string shown) const;

  std::string key_;
  std::string shown_ = "top level";
};

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_PATH_H_
