// SPDX-License-Identifier: Apache-2.0
#include "router/config/nearest.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "absl/strings/ascii.h"
#include "fmt/format.h"

namespace bandit::config {
namespace {

constexpr size_t kMaxLength = 128;
constexpr size_t kMaxListed = 12;

std::string Folded(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (c != '-' && c != '_') out += absl::ascii_tolower(c);
  }
  return out;
}

// Optimal string alignment distance: Levenshtein's with swaps of neighbours.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1),
      row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = last[j - 1] + (a[i - 1] != b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, substituted});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string_view Nearest(std::string_view name,
                         const std::vector<std::string>& known) {
  if (name.size() > kMaxLength) return {};
  const std::string folded = Folded(name);
  std::string_view best;
  size_t best_distance = std::max<size_t>(folded.size() / 3, 1) + 1;
  for (const std::string& candidate : known) {
    if (candidate.size() > kMaxLength) continue;
    const std::string other = Folded(candidate);
    const size_t distance = Distance(folded, other);
    // A single letter is near to every other: that is no hint.
    if (distance >= std::max(folded.size(), other.size())) continue;
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string DidYouMean(std::string_view name,
                       const std::vector<std::string>& known) {
  const std::string_view nearest = Nearest(name, known);
  return nearest.empty() ? "" : fmt::format(", did you mean \"{}\"?", nearest);
}

std::string AnyOf(const std::vector<std::string>& names) {
  if (names.empty()) return "none";
  std::string out;
  const size_t listed = std::min(names.size(), kMaxListed);
  for (size_t i = 0; i < listed; ++i) {
    const bool last = i + 1 == names.size();
    out += i == 0 ? "" : last ? " or " : ", ";
    out += names[i];
  }
  if (listed < names.size()) {
    fmt::format_to(std::back_inserter(out), " or {} more",
                   names.size() - listed);
  }
  return out;
}

}  // namespace bandit::config
