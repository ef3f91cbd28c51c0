// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/features.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "fmt/format.h"

namespace bandit::experiment {
namespace {

// The whole of `text` as a finite number.
std::optional<double> ParseNumber(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

std::optional<float> FeatureEncoder::Feature::Column(double value) const {
  // Written so that a NaN fails too.
  if (!(value >= min && value <= max)) return std::nullopt;
  if (transform != v1::TRANSFORM_UNSPECIFIED && value < 0) return std::nullopt;
  if (transform == v1::TRANSFORM_LOG1P) value = std::log1p(value);
  if (transform == v1::TRANSFORM_SQRT) value = std::sqrt(value);
  const double column = (value - shift) / scale;
  // Compared as doubles: a cast of too large a value is undefined.
  if (!(std::abs(column) <= std::numeric_limits<float>::max())) {
    return std::nullopt;
  }
  return static_cast<float>(column);
}

FeatureEncoder::FeatureEncoder(const v1::ContextConfig& config) {
  if (config.features().empty()) return;
  dimension_ = 1;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const v1::FeatureConfig& from : config.features()) {
    Feature feature{
        .name = from.name(),
        .key = from.metadata(),
        .categories = {from.categories().begin(), from.categories().end()},
        .transform = from.transform(),
        .shift = from.shift(),
        .scale = from.scale(),
        .min = -kInfinity,
        .max = kInfinity,
        .missing = 0,
        .column = dimension_,
    };
    // The stand-in need not lie in [min, max]: often it is chosen outside.
    feature.missing = feature.Column(from.missing()).value_or(0);
    if (from.has_min()) feature.min = from.min();
    if (from.has_max()) feature.max = from.max();
    dimension_ += feature.categories.empty() ? 1 : feature.categories.size();
    features_.push_back(std::move(feature));
  }
}

uint64_t FeatureEncoder::Encode(http2::Headers headers,
                                absl::Span<float> x) const {
  if (dimension_ == 0) return 0;
  uint64_t missing = 0;
  x[0] = 1;
  for (size_t i = 0; i < features_.size(); ++i) {
    const Feature& feature = features_[i];
    const std::string_view text = http2::Find(headers, feature.key);
    const bool present = text.data() != nullptr;
    bool understood = false;
    if (feature.categories.empty()) {
      std::optional<float> column;
      if (const auto value = present ? ParseNumber(text) : std::nullopt) {
        column = feature.Column(*value);
      }
      understood = column.has_value();
      x[feature.column] = column.value_or(feature.missing);
    } else {
      for (size_t c = 0; c < feature.categories.size(); ++c) {
        const bool match = present && text == feature.categories[c];
        x[feature.column + c] = match ? 1 : 0;
        understood |= match;
      }
    }
    if (!understood && i < 64) missing |= uint64_t{1} << i;
  }
  return missing;
}

std::vector<std::string> FeatureEncoder::ColumnNames() const {
  std::vector<std::string> names;
  if (dimension_ == 0) return names;
  names.emplace_back("intercept");
  for (const Feature& feature : features_) {
    if (feature.categories.empty()) names.push_back(feature.name);
    for (const std::string& category : feature.categories) {
      names.push_back(fmt::format("{}={}", feature.name, category));
    }
  }
  return names;
}

}  // namespace bandit::experiment
