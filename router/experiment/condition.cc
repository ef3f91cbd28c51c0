// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/condition.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "fmt/format.h"
#include "fmt/ranges.h"

namespace bandit::experiment {
namespace {

bool IsOneOf(const std::vector<std::string>& list, std::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// A finite decimal number and nothing else.
std::optional<double> ParseNumber(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() ||
      !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

Condition::Condition(const v1::ConditionConfig& config)
    : key_(config.metadata()),
      in_(config.in().begin(), config.in().end()),
      not_in_(config.not_in().begin(), config.not_in().end()),
      prefix_(config.prefix()) {
  if (config.has_min()) min_ = config.min();
  if (config.has_max()) max_ = config.max();
  if (config.has_present()) present_ = config.present();
  asks_value_ =
      !in_.empty() || !prefix_.empty() || min_.has_value() || max_.has_value();
}

bool Condition::Fits(std::string_view value) const {
  if (!in_.empty() && !IsOneOf(in_, value)) return false;
  if (!value.starts_with(prefix_)) return false;
  if (!min_.has_value() && !max_.has_value()) return true;
  const std::optional<double> number = ParseNumber(value);
  return number.has_value() && (!min_.has_value() || *number >= *min_) &&
         (!max_.has_value() || *number <= *max_);
}

bool Condition::Holds(http2::Headers headers) const {
  bool given = false, fits = false;
  for (const http2::Header& header : headers) {
    if (header.name != key_) continue;
    given = true;
    if (IsOneOf(not_in_, header.value)) return false;
    fits = fits || (asks_value_ && Fits(header.value));
  }
  if (present_.has_value() && given != *present_) return false;
  return fits || !asks_value_;
}

std::string Condition::Unmet(http2::Headers headers) const {
  std::vector<std::string> asked;
  if (!in_.empty()) {
    asked.push_back(fmt::format("one of {}", fmt::join(in_, ", ")));
  }
  if (!not_in_.empty()) {
    asked.push_back(fmt::format("none of {}", fmt::join(not_in_, ", ")));
  }
  if (!prefix_.empty()) asked.push_back(fmt::format("{}...", prefix_));
  if (min_.has_value()) asked.push_back(fmt::format("at least {:g}", *min_));
  if (max_.has_value()) asked.push_back(fmt::format("at most {:g}", *max_));
  if (present_.has_value()) {
    asked.emplace_back(*present_ ? "present" : "absent");
  }
  std::vector<std::string_view> given;
  for (const http2::Header& header : headers) {
    if (header.name == key_) given.push_back(header.value);
  }
  return given.empty()
             ? fmt::format("there is no {}, which must be {}", key_,
                           fmt::join(asked, " and "))
             : fmt::format("{} is {}, and must be {}", key_,
                           fmt::join(given, ", "), fmt::join(asked, " and "));
}

}  // namespace bandit::experiment
