// SPDX-License-Identifier: Apache-2.0
#include "router/control/experiment_metrics.h"

#include <string>
#include <utility>

#include "router/control/metric_family.h"

namespace bandit::control {

using prometheus::MetricFamily;
using prometheus::MetricType;

void AddUncounted(const learning::Totals& totals,
                  std::vector<MetricFamily>* families) {
  Family uncounted("bandit_uncounted_requests_total", MetricType::Counter,
                   "Requests that are not counted into the experiment which "
                   "takes them, by the reason");
  for (const auto& [experiment, traffic] : totals.traffic) {
    for (size_t i = 0; i < traffic.uncounted_why.size(); ++i) {
      uncounted.Add({{"experiment", experiment},
                     {"reason", std::string(experiment::kUncounted[i])}},
                    static_cast<double>(traffic.uncounted_why[i]));
    }
  }
  families->push_back(std::move(uncounted).Take());
}

void AddLifecycles(const learning::View& view,
                   std::vector<MetricFamily>* families) {
  Family state("bandit_experiment_state", MetricType::Gauge,
               "1 for the state that the experiment is in, 0 for the others");
  Family share("bandit_experiment_ramp_share", MetricType::Gauge,
               "Share of the units that the ramp lets in; 1 without a ramp");
  Family held("bandit_experiment_ramp_held", MetricType::Gauge,
              "1 if something holds the ramp; GetStatus says what");
  Family pending("bandit_experiment_approval_pending", MetricType::Gauge,
                 "1 if an act waits for approval");
  Family audited("bandit_audit_entries_total", MetricType::Counter,
                 "Acts that were written to the audit log");
  audited.Add({}, static_cast<double>(view.audited));
  for (const learning::ExperimentView& experiment : view.experiments) {
    const Labels labels = {{"experiment", experiment.name}};
    const learning::Life& life = experiment.life.life;
    for (const std::string_view name : experiment::kStates) {
      Labels with_state = labels;
      with_state.push_back({"state", std::string(name)});
      state.Add(std::move(with_state), name == Name(life.state));
    }
    share.Add(labels, experiment::ShareOf(experiment.life.stages, life.ramp));
    held.Add(labels, !experiment.life.held.empty());
    pending.Add(labels, life.pending.has_value());
  }
  for (Family* family : {&state, &share, &held, &pending, &audited}) {
    families->push_back(std::move(*family).Take());
  }
}

}  // namespace bandit::control
