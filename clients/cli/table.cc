// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/table.h"

#include <algorithm>

#include "fmt/format.h"

namespace bandit::cli {

std::string RenderColumns(const std::vector<std::vector<std::string>>& rows,
                          size_t left) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(row.size());
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      text += i < left ? fmt::format("  {:<{}}", row[i], widths[i])
                       : fmt::format("  {:>{}}", row[i], widths[i]);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

}  // namespace bandit::cli
