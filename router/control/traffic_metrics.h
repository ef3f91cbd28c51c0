// SPDX-License-Identifier: Apache-2.0
// The metrics of what the request path does beyond sending each request once.
#ifndef BANDIT_ROUTER_CONTROL_TRAFFIC_METRICS_H_
#define BANDIT_ROUTER_CONTROL_TRAFFIC_METRICS_H_

#include <vector>

#include "prometheus/metric_family.h"
#include "router/learning/telemetry.h"

namespace bandit::control {

void AddTraffic(const learning::Totals& totals,
                std::vector<prometheus::MetricFamily>* families);

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_TRAFFIC_METRICS_H_
