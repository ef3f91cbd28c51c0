// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "router/config/checks.h"
#include "router/config/validate.h"

namespace bandit::config {
namespace {

double Transformed(v1::Transform transform, double x) {
  switch (transform) {
    case v1::TRANSFORM_LOG1P:
      return std::log1p(x);
    case v1::TRANSFORM_SQRT:
      return std::sqrt(x);
    default:
      return x;
  }
}

void ValidateCategories(const Path& path, const v1::FeatureConfig& feature,
                        Report* report) {
  std::unordered_set<std::string> seen;
  for (int i = 0; i < feature.categories_size(); ++i) {
    const Path place = path.Field("categories").Item(i, "");
    const std::string& category = feature.categories(i);
    if (category.empty()) continue;  // Reported by the reader.
    if (!IsMetadataValue(category)) {
      report->FailValue(place, category,
                        "cannot be the value of a header, expected visible "
                        "ASCII");
    } else if (!seen.insert(category).second) {
      report->FailValue(place, category,
                        "is given twice, expected each category once");
    }
  }
  const std::pair<std::string_view, bool> numeric[] = {
      {"transform", feature.transform() != v1::TRANSFORM_UNSPECIFIED},
      {"shift", feature.shift() != 0},
      {"scale", feature.scale() != 1},
      {"missing", feature.missing() != 0},
      {"min", feature.has_min()},
      {"max", feature.has_max()},
  };
  for (const auto& [field, given] : numeric) {
    if (!given) continue;
    report->Fail(path.Field(field),
                 "is given beside categories, expected it for a number only");
  }
}

void ValidateNumber(const Path& path, const v1::FeatureConfig& feature,
                    Report* report) {
  if (feature.scale() == 0) {
    report->FailValue(path.Field("scale"), "0",
                      "would divide by zero, expected another number");
    return;
  }
  if (feature.has_min() && feature.has_max() && feature.min() > feature.max()) {
    report->FailValue(
        path.Field("min"), fmt::format("{}", feature.min()),
        fmt::format("is above max = {}, expected min <= max", feature.max()));
  }
  const Path missing = path.Field("missing");
  const std::string text = fmt::format("{}", feature.missing());
  if (feature.transform() != v1::TRANSFORM_UNSPECIFIED &&
      feature.missing() < 0) {
    report->FailValue(missing, text,
                      "is below 0, where the transform is not defined, "
                      "expected at least 0");
    return;
  }
  const double column =
      (Transformed(feature.transform(), feature.missing()) - feature.shift()) /
      feature.scale();
  if (!(std::abs(column) <= std::numeric_limits<float>::max())) {
    report->FailValue(missing, text,
                      "is too large once shifted and scaled, expected a value "
                      "that a float holds");
  }
}

}  // namespace

void ValidateContext(const Path& path, const v1::ContextConfig& context,
                     Report* report) {
  const Path features = path.Field("features");
  const std::vector<Path> paths = ItemPaths(features, context.features());
  CheckNames(paths, NamesOf(context.features()), report);
  size_t columns = 1;  // The intercept.
  for (size_t i = 0; i < paths.size(); ++i) {
    const v1::FeatureConfig& feature = context.features(static_cast<int>(i));
    CheckMetadataKey(paths[i].Field("metadata"), feature.metadata(), report);
    if (feature.categories().empty()) {
      if (report->Broken(paths[i])) continue;
      ValidateNumber(paths[i], feature, report);
      columns += 1;
    } else {
      ValidateCategories(paths[i], feature, report);
      columns += static_cast<size_t>(feature.categories_size());
    }
  }
  if (paths.size() > kMaxFeatures) {
    report->Fail(features, fmt::format("has {} features, expected at most {}",
                                       paths.size(), kMaxFeatures));
  }
  if (columns > kMaxColumns) {
    report->Fail(features,
                 fmt::format("makes {} columns, the intercept and all "
                             "categories counted, expected at most {}",
                             columns, kMaxColumns));
  }
}

}  // namespace bandit::config
