// SPDX-License-Identifier: Apache-2.0
// The Prometheus view of the router. docs/metrics.md describes every family;
// a test holds the two together.
#ifndef BANDIT_ROUTER_CONTROL_METRICS_H_
#define BANDIT_ROUTER_CONTROL_METRICS_H_

#include <memory>
#include <string>
#include <vector>

#include "prometheus/collectable.h"
#include "router/learning/learner.h"

namespace bandit::control {

// Built at each scrape from what the learner holds; nothing is kept twice.
// Thread-safety: any thread may collect.   Ownership: borrows the learner.
// Cost: a scrape holds the totals for less than a millisecond.
class RouterMetrics : public prometheus::Collectable {
 public:
  RouterMetrics(const learning::Learner* learner, std::string version)
      : learner_(learner), version_(std::move(version)) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const learning::Learner* learner_;
  const std::string version_;
};

// The collectables in Prometheus's text format.
std::string ToPrometheusText(
    const std::vector<std::shared_ptr<const prometheus::Collectable>>& from);

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_METRICS_H_
