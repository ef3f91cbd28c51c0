// SPDX-License-Identifier: Apache-2.0
// The Prometheus view of tracing and the access log.
#ifndef BANDIT_ROUTER_CONTROL_OBSERVE_METRICS_H_
#define BANDIT_ROUTER_CONTROL_OBSERVE_METRICS_H_

#include <vector>

#include "prometheus/collectable.h"
#include "router/observe/tally.h"

namespace bandit::control {

// Thread-safety: any thread may collect.   Ownership: borrows the tally.
class ObserveMetrics : public prometheus::Collectable {
 public:
  explicit ObserveMetrics(const observe::Tally* tally) : tally_(tally) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const observe::Tally* tally_;
};

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_OBSERVE_METRICS_H_
