// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/compile_guardrails.h"

#include <algorithm>

#include "fmt/format.h"
#include "router/experiment/builtin_metric.h"

namespace bandit::experiment {
namespace {

using guardrails::Against;
using guardrails::Measure;
using guardrails::Rule;

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) +
         absl::Nanoseconds(duration.nanos());
}

guardrails::Action ActionOf(v1::GuardrailAction action) {
  switch (action) {
    case v1::GUARDRAIL_ACTION_ALERT:
      return guardrails::Action::kAlert;
    case v1::GUARDRAIL_ACTION_HOLD:
      return guardrails::Action::kHold;
    case v1::GUARDRAIL_ACTION_ROLL_BACK:
      return guardrails::Action::kRollBack;
    default:
      return guardrails::Action::kEject;
  }
}

// What is held against what.
void SetBound(const v1::GuardrailConfig& config, Rule* rule) {
  if (config.has_below()) {
    rule->bound = config.below();
  } else if (config.has_above()) {
    rule->bound = config.above();
    rule->above = true;
  } else if (config.has_below_control_times()) {
    rule->against = Against::kControlTimes;
    rule->bound = config.below_control_times();
  } else if (config.has_below_control_plus()) {
    rule->against = Against::kControlPlus;
    rule->bound = config.below_control_plus();
  } else {
    rule->against = Against::kControlPlus;
    rule->bound = config.above_control_minus();
    rule->above = true;
  }
}

// Which metric is meant, and what of it is measured. False: there is none.
bool SetMetric(const v1::GuardrailConfig& config,
               const std::vector<Metric>& metrics, Guardrail* guardrail) {
  policies::RewardKind kind = policies::RewardKind::kContinuous;
  const auto builtin = std::find_if(
      std::begin(kBuiltins), std::end(kBuiltins),
      [&](const Builtin& one) { return one.name == config.metric(); });
  if (builtin != std::end(kBuiltins)) {
    guardrail->source = builtin->source;
    kind = builtin->kind;
  } else {
    const auto metric = std::find_if(
        metrics.begin(), metrics.end(),
        [&](const Metric& one) { return one.name == config.metric(); });
    if (metric == metrics.end()) return false;
    guardrail->metric = static_cast<size_t>(metric - metrics.begin());
    guardrail->source = metric->source;
    guardrail->rule.min = metric->min;
    guardrail->rule.max = metric->max;
    kind = metric->kind;
  }
  Rule& rule = guardrail->rule;
  rule.measure =
      kind == policies::RewardKind::kBinary ? Measure::kRate : Measure::kMean;
  if (!config.has_quantile()) return true;
  if (rule.relative()) {
    rule.measure = Measure::kQuantile;
    rule.quantile = config.quantile();
  } else {
    // "p99 below 250" is "at most 1 % above 250".
    rule.measure = Measure::kRate;
    rule.counts_above = rule.bound;
    rule.bound = 1 - config.quantile();
  }
  return true;
}

}  // namespace

std::string InWords(const v1::GuardrailConfig& rule) {
  std::string words = rule.metric();
  if (rule.has_quantile()) {
    words += fmt::format(" p{:g}", 100 * rule.quantile());
  }
  if (rule.has_below()) {
    return words + fmt::format(" below {:g}", rule.below());
  }
  if (rule.has_above()) {
    return words + fmt::format(" above {:g}", rule.above());
  }
  if (rule.has_below_control_times()) {
    return words +
           fmt::format(" below control times {:g}", rule.below_control_times());
  }
  if (rule.has_below_control_plus()) {
    return words +
           fmt::format(" below control plus {:g}", rule.below_control_plus());
  }
  return words +
         fmt::format(" above control minus {:g}", rule.above_control_minus());
}

absl::Status CompileGuardrails(const v1::ExperimentConfig& config,
                               Experiment* experiment) {
  for (const v1::GuardrailConfig& from : config.guardrails()) {
    Guardrail& guardrail = experiment->guardrails.emplace_back();
    Rule& rule = guardrail.rule;
    rule.name = from.name().empty() ? InWords(from) : from.name();
    rule.metric = from.metric();
    SetBound(from, &rule);
    if (!SetMetric(from, experiment->metrics, &guardrail)) {
      return absl::InvalidArgumentError(fmt::format(
          "experiments.{}.guardrails: {} is not one of metrics, nor built in",
          config.name(), from.metric()));
    }
    rule.test = from.test() == v1::GUARDRAIL_TEST_THRESHOLD
                    ? guardrails::Test::kThreshold
                    : guardrails::Test::kAnytime;
    rule.alpha = from.alpha();
    rule.min_samples = from.min_samples();
    rule.window = ToDuration(from.window());
    rule.action = ActionOf(from.action());
  }
  const v1::ProbationConfig& probation = config.probation();
  experiment->probation = {
      .base_ejection = ToDuration(probation.base_ejection()),
      .max_ejection = ToDuration(probation.max_ejection()),
      .share = probation.share(),
      .duration = ToDuration(probation.duration()),
      .requests = static_cast<double>(probation.requests())};
  return absl::OkStatus();
}

}  // namespace bandit::experiment
