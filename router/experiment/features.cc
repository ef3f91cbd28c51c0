// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/features.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

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
  assert(static_cast<size_t>(config.features_size()) <= kMaxFeatures);
  first_.fill(kEnd);
  missing_ = {1};
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
        .column = missing_.size(),
    };
    if (feature.categories.empty()) {
      // The stand-in need not lie in [min, max]: often it is chosen outside.
      missing_.push_back(feature.Column(from.missing()).value_or(0));
    } else {
      missing_.resize(missing_.size() + feature.categories.size());
    }
    if (from.has_min()) feature.min = from.min();
    if (from.has_max()) feature.max = from.max();
    uint16_t& bucket = first_[BucketOf(feature.key)];
    next_.push_back(
        std::exchange(bucket, static_cast<uint16_t>(features_.size())));
    features_.push_back(std::move(feature));
  }
  dimension_ = missing_.size();
}

size_t FeatureEncoder::BucketOf(std::string_view key) {
  if (key.size() < 2) return key.size();
  const auto last = static_cast<unsigned char>(key.back());
  const auto before = static_cast<unsigned char>(key[key.size() - 2]);
  return (key.size() * 5 + last + before * size_t{11}) % kBuckets;
}

bool FeatureEncoder::EncodeValue(const Feature& feature, std::string_view text,
                                 absl::Span<float> x) {
  if (feature.categories.empty()) {
    const std::optional<double> value = ParseNumber(text);
    if (!value.has_value()) return false;
    const std::optional<float> column = feature.Column(*value);
    if (!column.has_value()) return false;
    x[feature.column] = *column;
    return true;
  }
  for (size_t c = 0; c < feature.categories.size(); ++c) {
    if (text != feature.categories[c]) continue;
    x[feature.column + c] = 1;
    return true;
  }
  return false;
}

uint64_t FeatureEncoder::Encode(http2::Headers headers,
                                absl::Span<float> x) const {
  if (dimension_ == 0) return 0;
  std::copy(missing_.begin(), missing_.end(), x.begin());
  // The first header of a key counts, be it absurd.
  uint64_t seen = 0, understood = 0;
  for (const http2::Header& header : headers) {
    for (uint16_t i = first_[BucketOf(header.name)]; i != kEnd; i = next_[i]) {
      const uint64_t bit = uint64_t{1} << i;
      if ((seen & bit) != 0 || header.name != features_[i].key) continue;
      seen |= bit;
      if (EncodeValue(features_[i], header.value, x)) understood |= bit;
    }
  }
  return ~understood & (~uint64_t{0} >> (64 - features_.size()));
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
