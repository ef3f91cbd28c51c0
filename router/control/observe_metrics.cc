// SPDX-License-Identifier: Apache-2.0
#include "router/control/observe_metrics.h"

#include <utility>

#include "router/control/metric_family.h"

namespace bandit::control {
namespace {

prometheus::MetricFamily Results(const char* name, const char* help,
                                 const char* done,
                                 const observe::Tally::Results& results) {
  Family family(name, prometheus::MetricType::Counter, help);
  const auto add = [&](const char* result, const observe::Counter& counter) {
    family.Add({{"result", result}}, static_cast<double>(counter.value()));
  };
  add(done, results.done);
  add("dropped", results.dropped);
  add("failed", results.failed);
  return std::move(family).Take();
}

}  // namespace

std::vector<prometheus::MetricFamily> ObserveMetrics::Collect() const {
  return {Results("bandit_spans_total",
                  "Spans of requests: exported, dropped for want of room, or "
                  "failed at the collector",
                  "exported", tally_->spans),
          Results("bandit_access_log_lines_total",
                  "Lines of the access log: written, dropped for want of "
                  "room, or failed to be written",
                  "written", tally_->lines)};
}

}  // namespace bandit::control
