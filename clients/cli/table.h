// SPDX-License-Identifier: Apache-2.0
// Aligned columns of plain text.
#ifndef BANDIT_CLIENTS_CLI_TABLE_H_
#define BANDIT_CLIENTS_CLI_TABLE_H_

#include <cstddef>
#include <string>
#include <vector>

namespace bandit::cli {

// The first `left` columns are set to the left, the others, numbers, to the
// right; as wide as their widest cell, two spaces apart. Widths are bytes: for
// ASCII. Lines start with two spaces, end with \n and have no trailing spaces.
// Every row has as many cells as the first.
std::string RenderColumns(const std::vector<std::vector<std::string>>& rows,
                          size_t left);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_TABLE_H_
