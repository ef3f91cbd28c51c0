// SPDX-License-Identifier: Apache-2.0
// From a request's metadata to the feature vector.
#ifndef BANDIT_ROUTER_EXPERIMENT_FEATURES_H_
#define BANDIT_ROUTER_EXPERIMENT_FEATURES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "bandit/v1/config.pb.h"
#include "router/http2/header.h"

namespace bandit::experiment {

// An absent feature is a bit of a 64-bit mask.
inline constexpr size_t kMaxFeatures = 64;

// Columns: an intercept (1), then one for a number or one for each category
// of a categorical feature, in config order.
// Thread-safety: const calls may overlap.
class FeatureEncoder {
 public:
  // No context: dimension 0.
  FeatureEncoder() = default;
  // A `missing` whose column would not be finite gives a column of 0.
  // REQUIRES: at most kMaxFeatures features.
  explicit FeatureEncoder(const v1::ContextConfig& config);

  // 0 without context, else at least 2.
  size_t dimension() const { return dimension_; }
  size_t feature_count() const { return features_.size(); }
  std::string_view feature_name(size_t i) const { return features_[i].name; }

  // Fills `x` (length dimension()) with finite values. Bit i of the result is
  // set if feature i was absent or absurd and took its documented
  // value: a number its `missing`, a category 0 in all columns. Absurd is a
  // text that is not a finite number as a whole, a number outside [min, max],
  // negative under a transform, or too large for a float, and a category that
  // is not listed.
  // Cost: O(features + headers), no allocation.
  uint64_t Encode(http2::Headers headers, absl::Span<float> x) const;

  // One name a column: "intercept", "prompt_tokens", "device=ios".
  std::vector<std::string> ColumnNames() const;

 private:
  struct Feature {
    std::string name;
    std::string key;
    std::vector<std::string> categories;
    v1::Transform transform;
    double shift, scale;
    double min, max;
    size_t column;

    // The column of the number `value`; nullopt if it is absurd.
    std::optional<float> Column(double value) const;
  };

  // Where the features of a metadata key are chained: there are more headers
  // than features, and one look tells most of them apart.
  static size_t BucketOf(std::string_view key);
  // x[feature.column ...] from a header's value; false, with x untouched, if
  // that is absurd.
  static bool EncodeValue(const Feature& feature, std::string_view text,
                          absl::Span<float> x);

  static constexpr size_t kBuckets = 128;
  static constexpr uint16_t kEnd = 0xffff;
  std::vector<Feature> features_;
  // The first feature of a bucket, and for each feature the next one in it.
  std::array<uint16_t, kBuckets> first_{};
  std::vector<uint16_t> next_;
  // What the columns are of a request without metadata.
  std::vector<float> missing_;
  size_t dimension_ = 0;
};

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_FEATURES_H_
