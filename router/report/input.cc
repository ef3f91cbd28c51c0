// SPDX-License-Identifier: Apache-2.0
#include "router/report/input.h"

#include <string_view>

#include "policies/policy.h"
#include "router/report/weighted_reward.h"

namespace bandit::report {
namespace {

using experiment::MetricSource;

std::string_view NameOf(MetricSource source) {
  switch (source) {
    case MetricSource::kLatencyMs:
      return "latency_ms";
    case MetricSource::kTtfbMs:
      return "ttfb_ms";
    case MetricSource::kError:
      return "error";
    case MetricSource::kResponseBytes:
      return "response_bytes";
    case MetricSource::kCost:
      return "cost";
    case MetricSource::kFeedback:
    case MetricSource::kWeighted:
      break;
  }
  return "";
}

std::string_view RoleName(experiment::MetricRole role) {
  switch (role) {
    case experiment::MetricRole::kPrimary:
      return "primary";
    case experiment::MetricRole::kGuardrail:
      return "guardrail";
    case experiment::MetricRole::kSecondary:
      break;
  }
  return "secondary";
}

MetricInput Declared(const learning::Ledger& ledger, size_t e, size_t m) {
  const experiment::Experiment& experiment = ledger.plan().experiments[e];
  const experiment::Metric& metric = experiment.metrics[m];
  const bool reward = m == experiment.reward_metric;
  MetricInput input{
      .name = metric.name,
      .role = reward ? "reward" : std::string(RoleName(metric.role)),
      .cost = metric.lower_is_better,
      .binary = metric.kind == policies::RewardKind::kBinary,
      .center = ledger.Center(e, m),
      .arms = {}};
  for (size_t a = 0; a < experiment.arms.size(); ++a) {
    input.arms.push_back(ledger.Measures(e, m, a));
  }
  return input;
}

// `calls` by arm, each as CallsSize says.
MetricInput Measured(const learning::MeasureLayout& layout, size_t index,
                     const std::vector<std::vector<double>>& calls) {
  const MetricSource source = learning::kMeasuredCalls[index];
  MetricInput input{.name = std::string(NameOf(source)),
                    .role = "built-in",
                    .cost = true,
                    .binary = source == MetricSource::kError,
                    .measured = true,
                    .arms = {}};
  for (const std::vector<double>& arm : calls) {
    const auto decisions = arm.begin();
    const auto rewards =
        decisions + static_cast<ptrdiff_t>(layout.decision_size() +
                                           index * layout.reward_size());
    std::vector<double>& total = input.arms.emplace_back(
        decisions, decisions + static_cast<ptrdiff_t>(layout.decision_size()));
    total.insert(total.end(), rewards,
                 rewards + static_cast<ptrdiff_t>(layout.reward_size()));
  }
  return input;
}

void AddMetrics(const learning::Ledger& ledger, size_t e, Input* input) {
  const experiment::Experiment& experiment = ledger.plan().experiments[e];
  for (size_t m = 0; m < experiment.metrics.size(); ++m) {
    if (experiment.metrics[m].source != MetricSource::kFeedback) continue;
    const bool reward = m == experiment.reward_metric;
    input->metrics.insert(
        reward ? input->metrics.begin() : input->metrics.end(),
        Declared(ledger, e, m));
  }
  std::vector<std::vector<double>> calls;
  for (size_t a = 0; a < experiment.arms.size(); ++a) {
    calls.push_back(ledger.Calls(e, a));
  }
  const experiment::Metric& reward =
      experiment.metrics[experiment.reward_metric];
  if (reward.source == MetricSource::kWeighted) {
    input->metrics.insert(
        input->metrics.begin(),
        WeightedReward(experiment, input->layout, input->metrics, calls));
  }
  for (size_t i = 0; i < learning::kMeasuredCalls.size(); ++i) {
    MetricInput metric = Measured(input->layout, i, calls);
    const bool is_reward = learning::kMeasuredCalls[i] == reward.source;
    if (is_reward) metric.role = "reward";
    input->metrics.insert(
        is_reward ? input->metrics.begin() : input->metrics.end(),
        std::move(metric));
  }
}

}  // namespace

size_t Input::bytes() const {
  size_t doubles = 0;
  for (const ArmInput& arm : arms) {
    doubles += arm.assignment.size() + arm.latency.size();
  }
  for (const MetricInput& metric : metrics) {
    for (const auto& arm : metric.arms) doubles += arm.size();
  }
  return doubles * sizeof(double);
}

Input TakeInput(const learning::Ledger& ledger, size_t e,
                const learning::ExperimentView& view, absl::Time now) {
  const experiment::Experiment& experiment = ledger.plan().experiments[e];
  const policies::PolicyInfo* policy =
      policies::FindPolicy(experiment.policy_name);
  Input input{.experiment = experiment.name,
              .epoch = experiment.epoch,
              .as_of = now,
              .policy = experiment.policy_name,
              .contextual = policy != nullptr && policy->contextual,
              .learns = experiment.policy_name != "fixed_split",
              .unit = experiment.unit_key,
              .control = experiment.control,
              .alpha = experiment.report_alpha,
              .planned = experiment.report_planned,
              .layout = ledger.measure_layout(e),
              .segments = experiment.segments,
              .covariate = experiment.covariate.has_value(),
              .state = std::string(Name(view.life.life.state)),
              .rolled_back = view.rolled_back,
              .guardrails = view.guardrails,
              .arms = {},
              .metrics = {}};
  for (size_t a = 0; a < experiment.arms.size(); ++a) {
    input.arms.push_back({.name = experiment.arms[a].name,
                          .decisions = view.arms[a].decisions,
                          .probability = view.arms[a].probability,
                          .assignment = ledger.Assignment(e, a),
                          .latency = ledger.Latency(e, a),
                          .state = std::string(Name(view.arms[a].guard.state)),
                          .state_reason = view.arms[a].guard.reason});
  }
  AddMetrics(ledger, e, &input);
  return input;
}

}  // namespace bandit::report
