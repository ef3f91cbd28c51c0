// SPDX-License-Identifier: Apache-2.0
// Metrics of where experiments stand and of the requests that they leave out.
#ifndef BANDIT_ROUTER_CONTROL_EXPERIMENT_METRICS_H_
#define BANDIT_ROUTER_CONTROL_EXPERIMENT_METRICS_H_

#include <vector>

#include "prometheus/metric_family.h"
#include "router/learning/telemetry.h"
#include "router/learning/view.h"

namespace bandit::control {

void AddUncounted(const learning::Totals& totals,
                  std::vector<prometheus::MetricFamily>* families);
void AddLifecycles(const learning::View& view,
                   std::vector<prometheus::MetricFamily>* families);

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_EXPERIMENT_METRICS_H_
