// SPDX-License-Identifier: Apache-2.0
#include "router/control/traffic_metrics.h"

#include <string>
#include <utility>

#include "router/control/code_name.h"
#include "router/control/metric_family.h"

namespace bandit::control {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

void AddRetries(const learning::Totals& totals,
                std::vector<MetricFamily>* families) {
  Family retries("bandit_retries_total", MetricType::Counter,
                 "Times that a request was sent again, by what had gone "
                 "wrong; no experiment: none took the request");
  Family denied("bandit_retries_denied_total", MetricType::Counter,
                "Requests not sent again because retry.budget had no room");
  Family last_resort("bandit_last_resort_total", MetricType::Counter,
                     "Requests sent to last_resort because no arm had an "
                     "available backend");
  Family fallbacks("bandit_fallbacks_total", MetricType::Counter,
                   "Requests that another arm took over");
  const auto add_reasons = [&](const std::string& experiment,
                               const learning::RetryCounts& counts) {
    for (size_t i = 0; i < counts.size(); ++i) {
      retries.Add({{"experiment", experiment},
                   {"reason", std::string(learning::kRetryReasons[i])}},
                  static_cast<double>(counts[i]));
    }
  };
  add_reasons("", totals.load.retries);
  for (const auto& [name, counts] : totals.traffic) {
    const Labels labels = {{"experiment", name}};
    add_reasons(name, counts.retries);
    denied.Add(labels, static_cast<double>(counts.retries_denied));
    last_resort.Add(labels, static_cast<double>(counts.last_resort));
  }
  for (const auto& [of, count] : totals.fallbacks) {
    fallbacks.Add({{"experiment", of[0]}, {"from", of[1]}, {"to", of[2]}},
                  static_cast<double>(count));
  }
  for (Family* family : {&retries, &denied, &last_resort, &fallbacks}) {
    families->push_back(std::move(*family).Take());
  }
}

void AddMirrors(const learning::Totals& totals,
                std::vector<MetricFamily>* families) {
  Family requests("bandit_mirror_requests_total", MetricType::Counter,
                  "Copies of requests that a shadow got, by gRPC status or "
                  "HTTP_<status>; overflow: cut short or not begun, as the "
                  "shadow did not keep up");
  Family duration("bandit_mirror_duration_seconds", MetricType::Histogram,
                  "From a copy's beginning to the end of the shadow's "
                  "response");
  for (const auto& [name, counts] : totals.traffic) {
    // A sample for each experiment that ever had a mirror.
    if (counts.mirror.started == 0 && counts.mirror_overflow == 0) continue;
    ForEachCode(counts.mirror,
                [&, &name = name](const std::string& code, uint64_t count) {
                  requests.Add({{"experiment", name}, {"code", code}},
                               static_cast<double>(count));
                });
    requests.Add({{"experiment", name}, {"code", "overflow"}},
                 static_cast<double>(counts.mirror_overflow));
    duration.Add({{"experiment", name}}, counts.mirror.latency,
                 kDurationBounds);
  }
  families->push_back(std::move(requests).Take());
  families->push_back(std::move(duration).Take());
}

}  // namespace

void AddTraffic(const learning::Totals& totals,
                std::vector<MetricFamily>* families) {
  AddRetries(totals, families);
  AddMirrors(totals, families);
  const learning::LoadCounts& load = totals.load;
  Family queued("bandit_requests_queued", MetricType::Gauge,
                "Requests that wait for limits.max_requests to have room");
  queued.Add({}, static_cast<double>(load.queued) -
                     static_cast<double>(load.dequeued));
  Family rejected("bandit_requests_rejected_total", MetricType::Counter,
                  "Requests refused by limits.queue, limits.queue_timeout or "
                  "limits.max_buffered");
  for (size_t i = 0; i < load.rejected.size(); ++i) {
    rejected.Add({{"reason", std::string(learning::kRejections[i])}},
                 static_cast<double>(load.rejected[i]));
  }
  families->push_back(std::move(queued).Take());
  Family unmatched("bandit_unmatched_requests_total", MetricType::Counter,
                   "Requests that no experiment matched; those of bandit.v1 "
                   "are not among them");
  unmatched.Add({}, static_cast<double>(load.unmatched));
  families->push_back(std::move(rejected).Take());
  families->push_back(std::move(unmatched).Take());
}

}  // namespace bandit::control
