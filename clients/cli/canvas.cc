// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/canvas.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bandit::cli {
namespace {

constexpr std::string_view kEighths[] = {"",  "▏", "▎", "▍", "▌",
                                         "▋", "▊", "▉", "█"};
constexpr std::string_view kHeights[] = {"▁", "▂", "▃", "▄",
                                         "▅", "▆", "▇", "█"};
constexpr std::string_view kAsciiHeights = "_.:-=+*#";
constexpr size_t kGap = 2;

bool Continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

std::string_view EscapeOf(Ink ink) {
  switch (ink) {
    case Ink::kPlain:
      return "";
    case Ink::kBold:
      return "\x1b[1m";
    case Ink::kDim:
      return "\x1b[2m";
    case Ink::kGood:
      return "\x1b[32m";
    case Ink::kWarn:
      return "\x1b[33m";
    case Ink::kBad:
      return "\x1b[31m";
  }
  return "";
}

// The bytes of the first `width` columns.
size_t Prefix(std::string_view text, size_t width) {
  size_t i = 0;
  for (; i < text.size(); ++i) {
    if (Continues(text[i])) continue;
    if (width-- == 0) break;
  }
  return i;
}

std::string Printable(std::string_view text) {
  std::string printable(text);
  for (char& c : printable) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) c = '?';
  }
  return printable;
}

}  // namespace

size_t WidthOf(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return !Continues(c); }));
}

std::string Paint(const StyledLine& line, const Canvas& canvas) {
  size_t needed = 0;
  for (const Span& span : line) needed += WidthOf(span.text);
  const bool cut = needed > canvas.width;
  const std::string_view more = canvas.unicode ? "…" : ">";
  size_t left =
      cut ? canvas.width - std::min<size_t>(canvas.width, 1) : canvas.width;
  std::string out;
  for (const Span& span : line) {
    const std::string text = Printable(
        std::string_view(span.text).substr(0, Prefix(span.text, left)));
    left -= WidthOf(text);
    if (text.empty()) continue;
    const std::string_view escape = canvas.color ? EscapeOf(span.ink) : "";
    out += escape;
    out += text;
    if (!escape.empty()) out += "\x1b[0m";
  }
  if (cut && canvas.width > 0) out += more;
  if (out.find('\x1b') == out.npos) out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

std::string Bar(double share, size_t width, const Canvas& canvas) {
  // Written so that a NaN is nothing.
  if (!(share > 0)) share = 0;
  share = std::min(share, 1.0);
  const auto eighths =
      static_cast<size_t>(std::lround(share * static_cast<double>(width) * 8));
  std::string bar;
  size_t used = 0;
  if (canvas.unicode) {
    for (; used < eighths / 8; ++used) bar += kEighths[8];
    if (eighths % 8 != 0) {
      bar += kEighths[eighths % 8];
      ++used;
    }
  } else {
    used = (eighths + 4) / 8;
    bar.assign(used, '#');
  }
  return bar + std::string(width - used, ' ');
}

std::string Sparkline(absl::Span<const double> values, size_t width,
                      const Canvas& canvas) {
  const size_t count = std::min(width, values.size());
  std::string line(width - count, ' ');
  for (const double value : values.last(count)) {
    if (!(value >= 0)) {
      line += ' ';
      continue;
    }
    const auto height =
        static_cast<size_t>(std::min(7.0, std::floor(value * 8)));
    if (canvas.unicode) {
      line += kHeights[height];
    } else {
      line += kAsciiHeights[height];
    }
  }
  return line;
}

std::vector<size_t> Layout(absl::Span<const Column> columns,
                           absl::Span<const size_t> needed, size_t width) {
  std::vector<size_t> widths(columns.size());
  std::vector<bool> kept(columns.size(), true);
  const auto total = [&] {
    size_t sum = 0;
    for (size_t i = 0; i < columns.size(); ++i) {
      if (!kept[i]) continue;
      widths[i] = columns[i].most > 0 ? columns[i].least : needed[i];
      sum += widths[i] + kGap;
    }
    return sum;
  };
  size_t used = total();
  while (used > width) {
    size_t worst = columns.size();
    for (size_t i = 0; i < columns.size(); ++i) {
      if (!kept[i] || columns[i].drop == 0) continue;
      if (worst == columns.size() || columns[i].drop > columns[worst].drop) {
        worst = i;
      }
    }
    if (worst == columns.size()) break;
    kept[worst] = false;
    widths[worst] = 0;
    used = total();
  }
  // Turn by turn, so that none takes it all.
  for (bool grew = true; grew && used < width;) {
    grew = false;
    for (size_t i = 0; i < columns.size() && used < width; ++i) {
      if (!kept[i] || widths[i] >= columns[i].most) continue;
      ++widths[i];
      ++used;
      grew = true;
    }
  }
  return widths;
}

}  // namespace bandit::cli
