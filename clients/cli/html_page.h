// SPDX-License-Identifier: Apache-2.0
// What the HTML pages of banditctl share: one look, tables.
#ifndef BANDIT_CLIENTS_CLI_HTML_PAGE_H_
#define BANDIT_CLIENTS_CLI_HTML_PAGE_H_

#include <string>
#include <string_view>
#include <vector>

namespace bandit::cli {

// Style sheet of a page that loads nothing; colours follow the reader's theme.
// Its classes: soft, next, scroll; of plots see svg.h and line_plot.h.
std::string_view PageStyle();

// A table whose first row is its head; cells are escaped. The first column is
// set to the left, the others to the right.
std::string HtmlTable(const std::vector<std::vector<std::string>>& rows);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_HTML_PAGE_H_
