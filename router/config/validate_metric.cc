// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "fmt/format.h"
#include "router/config/validate.h"

namespace bandit::config {

void ValidateMetric(const Path& path, const v1::MetricConfig& metric,
                    Report* report) {
  for (const BuiltinMetric& builtin : kBuiltinMetrics) {
    if (metric.name() != builtin.name) continue;
    report->FailValue(path.Field("name"), metric.name(),
                      "is measured by the router itself, expected another "
                      "name, or `reward.metric` alone");
  }
  const Path value = path.Field("default");
  const std::string text = fmt::format("{}", metric.default_());
  if (metric.kind() == v1::METRIC_KIND_BINARY) {
    if (metric.has_default_() && metric.default_() != 0 &&
        metric.default_() != 1) {
      report->FailValue(value, text,
                        "is no value of a binary metric, expected 0 or 1");
    }
    for (std::string_view limit : {"min", "max"}) {
      if (!report->Given(path.Field(limit))) continue;
      report->Fail(path.Field(limit),
                   "is given for a binary metric, expected it for a continuous "
                   "one only");
    }
    return;
  }
  if (metric.has_min() && metric.has_max() && metric.min() > metric.max()) {
    report->FailValue(
        path.Field("min"), fmt::format("{}", metric.min()),
        fmt::format("is above max = {}, expected min <= max", metric.max()));
  } else if (metric.has_default_() &&
             ((metric.has_min() && metric.default_() < metric.min()) ||
              (metric.has_max() && metric.default_() > metric.max()))) {
    report->FailValue(
        value, text,
        fmt::format(
            "is outside [{}, {}], the metric's min and max",
            metric.has_min() ? fmt::format("{}", metric.min()) : "-inf",
            metric.has_max() ? fmt::format("{}", metric.max()) : "inf"));
  }
}

}  // namespace bandit::config
