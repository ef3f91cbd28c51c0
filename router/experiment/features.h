// SPDX-License-Identifier: Apache-2.0
// From a request's metadata to the feature vector.
#ifndef BANDIT_ROUTER_EXPERIMENT_FEATURES_H_
#define BANDIT_ROUTER_EXPERIMENT_FEATURES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "bandit/v1/config.pb.h"
#include "router/http2/header.h"

namespace bandit::experiment {

// Columns: an intercept (1), then one for a number or one for each category
// of a categorical feature, in config order.
// Thread-safety: const calls may overlap.
class FeatureEncoder {
 public:
  // No context: dimension 0.
  FeatureEncoder() = default;
  explicit FeatureEncoder(const v1::ContextConfig& config);

  // 0 without context, else at least 2.
  size_t dimension() const { return dimension_; }
  size_t feature_count() const { return features_.size(); }

  // Fills `x` (length dimension()). Bit i of the result is set if feature i
  // (i < 64) was absent or absurd and took its documented value: a number its
  // `missing`, a category 0 in all columns.
  // Cost: O(features * headers), no allocation.
  uint64_t Encode(http2::Headers headers, absl::Span<float> x) const;

  // One name a column: "intercept", "prompt_tokens", "device=ios".
  std::vector<std::string> ColumnNames() const;

 private:
  struct Feature {
    std::string name;
    std::string key;
    std::vector<std::string> categories;
    v1::Transform transform;
    double shift, scale, missing;
    double min, max;
    size_t column;
  };
  std::vector<Feature> features_;
  size_t dimension_ = 0;
};

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_FEATURES_H_
