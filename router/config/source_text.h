// SPDX-License-Identifier: Apache-2.0
// The bytes of a config file: whether they are text, and their lines.
#ifndef BANDIT_ROUTER_CONFIG_SOURCE_TEXT_H_
#define BANDIT_ROUTER_CONFIG_SOURCE_TEXT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bandit::config {

struct BadText {
  int line;
  std::string what;
};

// The first byte that has no place in a YAML file: no UTF-8, a control
// character, or a carriage return without its line feed.
std::optional<BadText> FindBadText(std::string_view text);

// Ownership: borrows the text.
class Lines {
 public:
  explicit Lines(std::string_view text);

  // Lines count from 1; empty outside the text.
  std::string_view operator[](int line) const;
  int count() const { return static_cast<int>(starts_.size()); }

  // Where a null really stands that yaml-cpp places at `line` and `column`
  // (from 0): for an empty list item it says where the next token is.
  int OfNull(int line, int column) const;

 private:
  std::string_view text_;
  std::vector<size_t> starts_;
};

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_SOURCE_TEXT_H_
