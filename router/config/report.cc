// SPDX-License-Identifier: Apache-2.0
#include "router/config/report.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "router/text/utf8.h"

namespace bandit::config {
namespace {

constexpr size_t kMaxShown = 80;

// 1.5, -3, 64MiB, 30m: reads as a value without quotes.
bool LooksNumeric(std::string_view text) {
  if (text.empty() || text.size() > kMaxShown) return false;
  if (!absl::ascii_isdigit(text[0]) &&
      (text.size() < 2 ||
       (text[0] != '-' && text[0] != '+' && text[0] != '.'))) {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '+';
  });
}

// Escapes what would break the line, or the terminal.
std::string Printable(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are control characters too.
    const bool c1 = c == 0xC2 && i + 1 < text.size() &&
                    static_cast<unsigned char>(text[i + 1]) < 0xA0;
    const bool separator =
        text.substr(i, 3) == "\u2028" || text.substr(i, 3) == "\u2029";
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < 0x20 || c == 0x7F || c1 || separator) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", c);
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::string Quoted(std::string_view text) {
  if (LooksNumeric(text)) return std::string(text);
  const std::string_view cut = text::Utf8Prefix(text, kMaxShown);
  return fmt::format("\"{}\"{}", Printable(cut),
                     cut.size() < text.size() ? "..." : "");
}

Report::Report(std::string_view file) : file_(Printable(file)) {}

const Report::Place* Report::Find(const Path& path) const {
  auto it = places_.find(path.key());
  return it == places_.end() ? nullptr : &it->second;
}

void Report::Record(const Path& path, int line) {
  places_[path.key()].line = line;
}

void Report::ShowInstead(const Path& path, std::string text) {
  places_[path.key()].instead = std::move(text);
}

void Report::Hide(const Path& path) { places_[path.key()].hidden = true; }

bool Report::Given(const Path& path) const {
  const Place* place = Find(path);
  return place != nullptr && place->line > 0;
}

int Report::Line(const Path& path) const {
  absl::string_view key = path.key();
  while (true) {
    auto it = places_.find(key);
    if (it != places_.end() && it->second.line > 0) return it->second.line;
    if (key.empty()) return 1;
    key = key.substr(0, key.rfind('/'));
  }
}

void Report::Fail(int line, std::string message) {
  if (errors_.size() < kMaxErrors) {
    errors_.push_back({line, std::move(message)});
  } else {
    ++uncounted_;
  }
}

void Report::Fail(const Path& path, std::string_view what) {
  Fail(path, Line(path), what);
}

void Report::Fail(const Path& path, int line, std::string_view what) {
  places_[path.key()].broken = true;
  Fail(line, fmt::format("{} {}", path.shown(), what));
}

std::string Report::WithValue(const Path& path, std::string_view value,
                              std::string_view what) const {
  const Place* place = Find(path);
  if (place != nullptr && place->hidden) return std::string(what);
  const std::string shown =
      place == nullptr || place->instead.empty()
          ? Quoted(value)
          : fmt::format("{} (from the environment)", Quoted(place->instead));
  return fmt::format("= {} {}", shown, what);
}

void Report::FailValue(const Path& path, std::string_view value,
                       std::string_view what) {
  Fail(path, WithValue(path, value, what));
}

void Report::WarnValue(const Path& path, std::string_view value,
                       std::string_view what) {
  if (warnings_.size() >= kMaxErrors) return;
  warnings_.push_back({Line(path), fmt::format("{} {}", path.shown(),
                                               WithValue(path, value, what))});
}

bool Report::Broken(const Path& path) const {
  const Place* place = Find(path);
  return place != nullptr && place->broken;
}

std::vector<std::string> Report::Lines(
    const std::vector<Error>& messages) const {
  std::vector<const Error*> sorted;
  sorted.reserve(messages.size());
  for (const Error& message : messages) sorted.push_back(&message);
  std::stable_sort(
      sorted.begin(), sorted.end(),
      [](const Error* a, const Error* b) { return a->line < b->line; });
  std::vector<std::string> lines;
  lines.reserve(sorted.size());
  for (const Error* message : sorted) {
    lines.push_back(
        fmt::format("{}:{}: {}", file_, message->line, message->message));
  }
  return lines;
}

std::vector<std::string> Report::Warnings() const { return Lines(warnings_); }

absl::Status Report::Status() const {
  if (ok()) return absl::OkStatus();
  std::string text;
  for (const std::string& line : Lines(errors_)) {
    text += (text.empty() ? "" : "\n") + line;
  }
  if (uncounted_ > 0) {
    const auto last = std::max_element(
        errors_.begin(), errors_.end(),
        [](const Error& a, const Error& b) { return a.line < b.line; });
    fmt::format_to(std::back_inserter(text),
                   "\n{}:{}: {} more errors are not shown, expected at most {}",
                   file_, last->line, uncounted_, kMaxErrors);
  }
  return absl::InvalidArgumentError(text);
}

}  // namespace bandit::config
