// SPDX-License-Identifier: Apache-2.0
// Plots as inline SVG, for a page that must not load anything.
#ifndef BANDIT_CLIENTS_CLI_SVG_H_
#define BANDIT_CLIENTS_CLI_SVG_H_

#include <optional>
#include <string>
#include <vector>

#include "stats/interval.h"

namespace bandit::cli {

// What HTML and SVG read as text: & < > " ' are escaped.
std::string Escaped(std::string_view text);

// One line of a forest plot: an estimate with a thick and a thin interval.
struct ForestRow {
  std::string label;
  double value = 0;
  std::optional<stats::Interval> fixed;
  std::optional<stats::Interval> anytime;
  bool accent = false;
};

// An axis from below the least to above the greatest number, with ticks at
// round ones. `zero`: a line at 0, which is then on the axis. `scale`
// multiplies the numbers at the ticks, `suffix` follows them ("%"). Empty if
// there is no row.
std::string ForestPlot(const std::vector<ForestRow>& rows, bool zero,
                       double scale, const std::string& suffix);

struct BarRow {
  std::string label;
  double value = 0;      // In [0, 1].
  double reference = 0;  // A mark beside it.
};

// Shares with a mark where they should be.
std::string BarPlot(const std::vector<BarRow>& rows);

// About `count` round numbers within [low, high]: multiples of 1, 2 or 5 times
// a power of ten. REQUIRES: low < high, both finite.
std::vector<double> Ticks(double low, double high, int count);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_SVG_H_
