// SPDX-License-Identifier: Apache-2.0
#include "router/control/guardrail_metrics.h"

#include <string>
#include <utility>

#include "router/control/metric_family.h"

namespace bandit::control {

using prometheus::MetricType;

void AddGuardrails(const learning::View& view,
                   std::vector<prometheus::MetricFamily>* families) {
  Family evidence("bandit_guardrail_evidence", MetricType::Gauge,
                  "Evidence that the arm breaks the rule, as a share of what "
                  "is needed (by its logarithm); a threshold has none");
  Family broken("bandit_guardrail_broken", MetricType::Gauge,
                "1 while the rule counts as broken");
  Family trips("bandit_guardrail_trips_total", MetricType::Counter,
               "Times that the arm was found to break the rule");
  Family held("bandit_experiment_held", MetricType::Gauge,
              "1 while guardrails keep a ramp from going on");
  Family rolled_back("bandit_experiment_rolled_back", MetricType::Gauge,
                     "1 once guardrails have sent all requests to the control "
                     "arm, until a person puts an end to it");
  for (const learning::ExperimentView& experiment : view.experiments) {
    held.Add({{"experiment", experiment.name}}, experiment.held);
    rolled_back.Add({{"experiment", experiment.name}},
                    !experiment.rolled_back.empty());
    for (const learning::GuardrailView& rule : experiment.guardrails) {
      const Labels labels = {{"experiment", experiment.name},
                             {"arm", rule.arm},
                             {"rule", rule.rule}};
      evidence.Add(labels, rule.evidence);
      broken.Add(labels, rule.broken);
      trips.Add(labels, static_cast<double>(rule.trips));
    }
  }
  for (Family* family : {&evidence, &broken, &trips, &held, &rolled_back}) {
    families->push_back(std::move(*family).Take());
  }
}

std::vector<prometheus::MetricFamily> WebhookMetrics::Collect() const {
  const Webhooks::Totals totals = webhooks_->totals();
  Family events("bandit_webhook_events_total", MetricType::Counter,
                "Events for webhooks, by what became of them: delivered, given "
                "up after the last attempt, dropped because too many wait");
  events.Add({{"result", "delivered"}}, static_cast<double>(totals.delivered));
  events.Add({{"result", "given_up"}}, static_cast<double>(totals.given_up));
  events.Add({{"result", "dropped"}}, static_cast<double>(totals.dropped));
  Family attempts("bandit_webhook_failed_attempts_total", MetricType::Counter,
                  "Attempts to deliver an event that failed");
  attempts.Add({}, static_cast<double>(totals.failed_attempts));
  Family waiting("bandit_webhook_queue_length", MetricType::Gauge,
                 "Events that wait for delivery");
  waiting.Add({}, static_cast<double>(totals.waiting));
  std::vector<prometheus::MetricFamily> families;
  for (Family* family : {&events, &attempts, &waiting}) {
    families.push_back(std::move(*family).Take());
  }
  return families;
}

}  // namespace bandit::control
