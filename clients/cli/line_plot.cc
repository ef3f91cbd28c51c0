// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/line_plot.h"

#include <algorithm>
#include <cstddef>

#include "clients/cli/svg.h"
#include "fmt/format.h"

namespace bandit::cli {
namespace {

constexpr double kWidth = 640;
constexpr double kLeft = 64;  // Where the lines begin.
constexpr double kRight = 12;
constexpr double kTop = 8;
constexpr double kBottom = 250;
constexpr double kAxis = 40;
constexpr size_t kColours = 8;

struct Frame {
  double x_high = 0;
  double low = 0, high = 0;

  double x(double value) const {
    return kLeft + value / x_high * (kWidth - kLeft - kRight);
  }
  double y(double value) const {
    return kBottom - (value - low) / (high - low) * (kBottom - kTop);
  }
};

Frame FrameOf(const std::vector<PlotLine>& lines) {
  Frame frame;
  for (const PlotLine& line : lines) {
    for (const PlotPoint& point : line.points) {
      frame.x_high = std::max(frame.x_high, point.x);
      frame.low = std::min(frame.low, point.y - point.band);
      frame.high = std::max(frame.high, point.y + point.band);
    }
  }
  if (!(frame.high > frame.low)) frame.high = frame.low + 1;
  return frame;
}

std::string Grid(const Frame& frame, const std::string& x_label, double scale,
                 const std::string& suffix) {
  std::string svg;
  for (const double tick : Ticks(frame.low, frame.high, 5)) {
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{}\" y1=\"{:.1f}\" x2=\"{}\" "
        "y2=\"{:.1f}\"/>\n<text x=\"{}\" y=\"{:.1f}\" "
        "text-anchor=\"end\">{:.4g}{}</text>\n",
        kLeft, frame.y(tick), kWidth - kRight, frame.y(tick), kLeft - 6,
        frame.y(tick) + 4, tick * scale, suffix);
  }
  for (const double tick : Ticks(0, frame.x_high, 6)) {
    svg += fmt::format(
        "<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:.4g}</text>\n",
        frame.x(tick), kBottom + 16, tick);
  }
  return svg +
         fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n",
                     kWidth - kRight, kBottom + 34, Escaped(x_label));
}

std::string Drawn(const Frame& frame, const PlotLine& line) {
  const size_t colour = line.colour % kColours;
  std::string outline, middle;
  bool band = false;
  const auto add = [&](const PlotPoint& point, double y, std::string* to) {
    *to += fmt::format("{:.1f},{:.1f} ", frame.x(point.x), frame.y(y));
  };
  for (const PlotPoint& point : line.points) {
    add(point, point.y, &middle);
    add(point, point.y + point.band, &outline);
    band |= point.band > 0;
  }
  // Back along the lower edge.
  for (auto point = line.points.rbegin(); point != line.points.rend();
       ++point) {
    add(*point, point->y - point->band, &outline);
  }
  std::string svg;
  if (band) {
    svg += fmt::format("<polygon class=\"band s{}\" points=\"{}\"/>\n", colour,
                       outline);
  }
  return svg + fmt::format("<polyline class=\"line s{}\" points=\"{}\"/>\n",
                           colour, middle);
}

}  // namespace

std::string LinePlot(const std::vector<PlotLine>& lines,
                     const std::string& x_label, double scale,
                     const std::string& suffix) {
  const Frame frame = FrameOf(lines);
  if (std::none_of(lines.begin(), lines.end(), [](const PlotLine& line) {
        return line.points.size() > 1;
      })) {
    return "";
  }
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"lines over "
      "time\">\n",
      kWidth, kBottom + kAxis);
  svg += Grid(frame, x_label, scale, suffix);
  std::string legend = "<p class=\"soft\">";
  for (const PlotLine& line : lines) {
    svg += Drawn(frame, line);
    legend += fmt::format("<span class=\"swatch s{}\"></span>{}\n",
                          line.colour % kColours, Escaped(line.label));
  }
  return svg + "</svg>\n" + legend + "</p>\n";
}

}  // namespace bandit::cli
