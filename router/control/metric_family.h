// SPDX-License-Identifier: Apache-2.0
// Builds one family of Prometheus metrics.
#ifndef BANDIT_ROUTER_CONTROL_METRIC_FAMILY_H_
#define BANDIT_ROUTER_CONTROL_METRIC_FAMILY_H_

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "prometheus/metric_family.h"
#include "stats/histogram.h"

namespace bandit::control {

using Labels = std::vector<prometheus::ClientMetric::Label>;

// Seconds. From a cached answer to a generated text.
inline constexpr double kDurationBounds[] = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
    0.25,   0.5,   1,      2.5,   5,    10,    30,   60};
// Thread-safety: none.
class Family {
 public:
  Family(std::string name, prometheus::MetricType type, std::string help) {
    family_.name = std::move(name);
    family_.type = type;
    family_.help = std::move(help);
  }

  void Add(Labels labels, double value) {
    prometheus::ClientMetric& metric = family_.metric.emplace_back();
    metric.label = std::move(labels);
    if (family_.type == prometheus::MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
  }

  // `nanoseconds` as seconds, cumulative.
  void Add(Labels labels, const stats::LogLinearHistogram& nanoseconds,
           absl::Span<const double> bounds) {
    prometheus::ClientMetric& metric = family_.metric.emplace_back();
    metric.label = std::move(labels);
    metric.histogram.sample_count = nanoseconds.count();
    metric.histogram.sample_sum = nanoseconds.sum() * 1e-9;
    for (const double bound : bounds) {
      metric.histogram.bucket.push_back(
          {.cumulative_count = nanoseconds.CountAtMost(
               static_cast<uint64_t>(std::llround(bound * 1e9))),
           .upper_bound = bound});
    }
  }

  prometheus::MetricFamily Take() && { return std::move(family_); }

 private:
  prometheus::MetricFamily family_;
};

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_METRIC_FAMILY_H_
