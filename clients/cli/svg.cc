// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/svg.h"

#include <algorithm>
#include <cmath>

#include "fmt/format.h"

namespace bandit::cli {
namespace {

constexpr double kWidth = 640;
constexpr double kLabels = 150;  // Where the axis begins.
constexpr double kRight = 20;
constexpr double kRow = 30;
constexpr double kAxis = 28;

// From values to pixels.
class Scale {
 public:
  Scale(double low, double high) : low_(low), high_(high) {
    if (!(high_ > low_)) {
      const double half = std::max(std::abs(low_) / 2, 0.5);
      low_ -= half;
      high_ += half;
    }
    const double margin = (high_ - low_) * 0.05;
    low_ -= margin;
    high_ += margin;
  }

  double low() const { return low_; }
  double high() const { return high_; }
  double operator()(double value) const {
    const double share = (value - low_) / (high_ - low_);
    return kLabels + share * (kWidth - kLabels - kRight);
  }

 private:
  double low_;
  double high_;
};

std::string Begin(double height, std::string_view what) {
  return fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", kWidth,
      height, what);
}

std::string Line(double x1, double y1, double x2, double y2,
                 std::string_view kind) {
  return fmt::format(
      "<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" "
      "y2=\"{:.1f}\"/>\n",
      kind, x1, y1, x2, y2);
}

std::string Text(double x, double y, std::string_view anchor,
                 std::string_view text) {
  return fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y,
      anchor, Escaped(text));
}

void Extend(const std::optional<stats::Interval>& interval, double* low,
            double* high) {
  if (!interval.has_value()) return;
  *low = std::min(*low, interval->low);
  *high = std::max(*high, interval->high);
}

}  // namespace

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::vector<double> Ticks(double low, double high, int count) {
  const double rough = (high - low) / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double lead = rough / power;
  const double step = (lead < 1.5   ? 1
                       : lead < 3.5 ? 2
                       : lead < 7.5 ? 5
                                    : 10) *
                      power;
  std::vector<double> ticks;
  const double first = std::ceil(low / step);
  for (int i = 0; i <= 2 * count; ++i) {
    const double tick = (first + i) * step;
    if (tick > high) break;
    // Not -0.
    ticks.push_back(tick == 0 ? 0 : tick);
  }
  return ticks;
}

std::string ForestPlot(const std::vector<ForestRow>& rows, bool zero,
                       double scale, const std::string& suffix) {
  if (rows.empty()) return "";
  double low = zero ? 0 : rows[0].value;
  double high = low;
  for (const ForestRow& row : rows) {
    low = std::min(low, row.value);
    high = std::max(high, row.value);
    Extend(row.fixed, &low, &high);
    Extend(row.anytime, &low, &high);
  }
  const Scale x(low, high);
  const double bottom = kRow * static_cast<double>(rows.size());
  std::string svg = Begin(bottom + kAxis, "intervals by arm");
  for (const double tick : Ticks(x.low(), x.high(), 5)) {
    svg += Line(x(tick), 0, x(tick), bottom, "grid");
    svg += Text(x(tick), bottom + 18, "middle",
                fmt::format("{:.4g}{}", tick * scale, suffix));
  }
  if (zero) svg += Line(x(0), 0, x(0), bottom, "zero");
  for (size_t i = 0; i < rows.size(); ++i) {
    const ForestRow& row = rows[i];
    const double y = kRow * (static_cast<double>(i) + 0.5);
    svg += Text(0, y + 4, "start", row.label);
    svg += fmt::format("<g class=\"{}\">\n", row.accent ? "accent" : "plain");
    if (row.anytime.has_value()) {
      svg += Line(x(row.anytime->low), y, x(row.anytime->high), y, "thin");
    }
    if (row.fixed.has_value()) {
      svg += Line(x(row.fixed->low), y, x(row.fixed->high), y, "thick");
    }
    svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"/>\n</g>\n",
                       x(row.value), y);
  }
  return svg + "</svg>\n";
}

std::string BarPlot(const std::vector<BarRow>& rows) {
  if (rows.empty()) return "";
  const double full = kWidth - kLabels - kRight - 60;
  const double bottom = kRow * static_cast<double>(rows.size());
  std::string svg = Begin(bottom, "shares by arm");
  for (size_t i = 0; i < rows.size(); ++i) {
    const double top = kRow * static_cast<double>(i);
    svg += Text(0, top + kRow / 2 + 4, "start", rows[i].label);
    svg += fmt::format(
        "<rect class=\"bar\" x=\"{}\" y=\"{:.1f}\" width=\"{:.1f}\" "
        "height=\"{}\"/>\n",
        kLabels, top + 6, full * rows[i].value, kRow - 12);
    const double mark = kLabels + full * rows[i].reference;
    svg += Line(mark, top + 3, mark, top + kRow - 3, "zero");
    svg += Text(kLabels + full * std::max(rows[i].value, rows[i].reference) + 8,
                top + kRow / 2 + 4, "start",
                fmt::format("{:.1f} %", 100 * rows[i].value));
  }
  return svg + "</svg>\n";
}

}  // namespace bandit::cli
