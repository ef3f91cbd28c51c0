// SPDX-License-Identifier: Apache-2.0
// Lines over time as inline SVG.
#ifndef BANDIT_CLIENTS_CLI_LINE_PLOT_H_
#define BANDIT_CLIENTS_CLI_LINE_PLOT_H_

#include <cstddef>
#include <string>
#include <vector>

namespace bandit::cli {

struct PlotPoint {
  double x = 0;
  double y = 0;
  // Half the height of the band around the line; 0: none.
  double band = 0;
};

struct PlotLine {
  std::string label;
  std::vector<PlotPoint> points;  // By ascending x, finite.
  // Of the classes s0 to s7 of html_page.h; larger ones begin again.
  size_t colour = 0;
};

// The lines and a legend. Both axes begin at 0, or below it where a value does.
// `scale` multiplies the numbers at the ticks of y, `suffix` follows them.
// Empty if no line has two points.
std::string LinePlot(const std::vector<PlotLine>& lines,
                     const std::string& x_label, double scale,
                     const std::string& suffix);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_LINE_PLOT_H_
