// SPDX-License-Identifier: Apache-2.0
// Text for a terminal of a given width: what fits, in colour or not, with the
// bars and sparklines that its character set has.
#ifndef BANDIT_CLIENTS_CLI_CANVAS_H_
#define BANDIT_CLIENTS_CLI_CANVAS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"

namespace bandit::cli {

struct Canvas {
  size_t width = 80;
  size_t height = 24;
  bool color = false;
  bool unicode = false;  // Else ASCII.
};

enum class Ink { kPlain, kBold, kDim, kGood, kWarn, kBad };

// A part of a line. `width`: columns that its text takes; one a code point is
// assumed.
struct Span {
  std::string text;
  Ink ink = Ink::kPlain;
};
using StyledLine = std::vector<Span>;

// Code points: what a terminal needs for what is written here.
size_t WidthOf(std::string_view text);

// The line's first `canvas.width` columns, an ellipsis in the last one if it is
// longer, with escapes for its inks if the canvas has colour. Control
// characters become '?': names come from elsewhere.
std::string Paint(const StyledLine& line, const Canvas& canvas);

// `share` in [0, 1] of a bar of `width` columns, padded to them.
std::string Bar(double share, size_t width, const Canvas& canvas);

// The last `width` of `values`, each in [0, 1], a column each, padded on the
// left; a gap where one is NaN.
std::string Sparkline(absl::Span<const double> values, size_t width,
                      const Canvas& canvas);

// A column of a table. Columns are dropped, the highest `drop` first, until the
// rest fits; `stretch` ones then share what is left over.
struct Column {
  std::string header;
  bool left = false;  // Else set to the right.
  int drop = 0;       // 0: never.
  // Columns that may be given; 0: it is as wide as its widest cell. Cells are
  // made for the width that it got.
  size_t least = 0, most = 0;
};

// Widths for `columns`, whose cells need `needed` (for those that do not
// stretch), two spaces apart; 0 for one that is dropped.
std::vector<size_t> Layout(absl::Span<const Column> columns,
                           absl::Span<const size_t> needed, size_t width);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_CANVAS_H_
