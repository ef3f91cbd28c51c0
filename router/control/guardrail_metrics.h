// SPDX-License-Identifier: Apache-2.0
// What guardrails found and did, for Prometheus.
#ifndef BANDIT_ROUTER_CONTROL_GUARDRAIL_METRICS_H_
#define BANDIT_ROUTER_CONTROL_GUARDRAIL_METRICS_H_

#include <memory>
#include <vector>

#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"
#include "router/control/webhooks.h"
#include "router/learning/view.h"

namespace bandit::control {

void AddGuardrails(const learning::View& view,
                   std::vector<prometheus::MetricFamily>* families);

// Thread-safety: any thread may collect.   Ownership: borrows the webhooks.
class WebhookMetrics : public prometheus::Collectable {
 public:
  explicit WebhookMetrics(const Webhooks* webhooks) : webhooks_(webhooks) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const Webhooks* webhooks_;
};

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_GUARDRAIL_METRICS_H_
