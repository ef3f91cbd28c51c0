// SPDX-License-Identifier: Apache-2.0
#include "router/config/source_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "fmt/format.h"
#include "router/text/utf8.h"

namespace bandit::config {
namespace {

absl::string_view Trimmed(std::string_view text) {
  return absl::StripAsciiWhitespace(
      absl::string_view(text.data(), text.size()));
}

// "-" or "- -", perhaps with a comment: a list item without a value.
bool IsEmptyItem(std::string_view line) {
  absl::string_view rest = Trimmed(line.substr(0, line.find('#')));
  if (rest.empty()) return false;
  return std::all_of(rest.begin(), rest.end(),
                     [](char c) { return c == '-' || c == ' '; });
}

}  // namespace

std::optional<BadText> FindBadText(std::string_view text) {
  int line = 1;
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const size_t length = text::Utf8Size(text.substr(i));
    if (length == 0) {
      return BadText{line, fmt::format("byte 0x{:02x} is not UTF-8, expected "
                                       "UTF-8 text",
                                       c)};
    }
    if (c == '\r' && text.substr(i, 2) != "\r\n") {
      return BadText{line,
                     "a carriage return without a line feed, expected lines "
                     "that end in a line feed"};
    }
    if ((c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7F) {
      return BadText{line, fmt::format("control character 0x{:02x}, expected "
                                       "text",
                                       c)};
    }
    if (c == '\n') ++line;
    i += length;
  }
  return std::nullopt;
}

Lines::Lines(std::string_view text) : text_(text), starts_{0} {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') starts_.push_back(i + 1);
  }
}

std::string_view Lines::operator[](int line) const {
  if (line < 1 || line > count()) return {};
  const size_t begin = starts_[line - 1];
  const size_t end = line == count() ? text_.size() : starts_[line] - 1;
  return text_.substr(begin, end - begin);
}

int Lines::OfNull(int line, int column) const {
  std::string_view here = (*this)[line];
  if (column >= 0 && static_cast<size_t>(column) < here.size()) {
    here.remove_prefix(column);
    for (std::string_view null : {"~", "null", "Null", "NULL"}) {
      if (here.substr(0, null.size()) == null) return line;
    }
  }
  for (int i = std::min(line, count()); i >= 1; --i) {
    if (i < line && IsEmptyItem((*this)[i])) return i;
    const absl::string_view content = Trimmed((*this)[i]);
    if (i < line && !content.empty() && content[0] != '#') break;
  }
  return std::min(line, count());
}

}  // namespace bandit::config
