// SPDX-License-Identifier: Apache-2.0
#include "router/learning/refusal.h"

#include <string_view>
#include <vector>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "router/text/utf8.h"

namespace bandit::learning {
namespace {

using experiment::Experiment;
using experiment::Metric;
using experiment::MetricSource;

// Of a text that a caller chose.
constexpr size_t kMostShown = 64;

std::string_view Shown(std::string_view text) {
  return text::Utf8Prefix(text, kMostShown);
}

std::string FedBack(const Experiment& experiment) {
  std::vector<std::string_view> names;
  for (const Metric& metric : experiment.metrics) {
    if (metric.source == MetricSource::kFeedback) names.push_back(metric.name);
  }
  return names.empty() ? "none: it takes no rewards"
                       : fmt::format("{}", fmt::join(names, " or "));
}

std::string WhyUnknown(const Reward& reward, const Verdict& verdict,
                       const experiment::Plan& plan) {
  if (!reward.request_id.empty()) {
    return fmt::format(
        "no decision is known for the request id \"{}\": this router made "
        "none, join.window has passed, join.memory was too little, or the "
        "router was restarted since",
        Shown(reward.request_id));
  }
  if (!verdict.experiment) {
    return "the decision's experiment is not in this router's config: it was "
           "renamed or taken away, or another router decided";
  }
  const Experiment& experiment = plan.experiments[*verdict.experiment];
  if (reward.decision.epoch != experiment.epoch) {
    return fmt::format(
        "the decision is of epoch {} of experiment {}, which is in epoch {}: "
        "what was decided before a new epoch no longer counts",
        reward.decision.epoch, experiment.name, experiment.epoch);
  }
  return fmt::format(
      "the decision does not fit the arms and features of experiment {}",
      experiment.name);
}

std::string WhyRejected(const Reward& reward, const Verdict& verdict,
                        const Experiment& experiment) {
  const std::string& named = reward.metric;
  if (!verdict.metric) {
    return named.empty()
               ? fmt::format(
                     "experiment {} has no metric to reward by default, "
                     "expected a reward for {}",
                     experiment.name, FedBack(experiment))
               : fmt::format("experiment {} has no metric \"{}\", expected {}",
                             experiment.name, Shown(named),
                             FedBack(experiment));
  }
  const Metric& metric = experiment.metrics[*verdict.metric];
  if (metric.source != MetricSource::kFeedback) {
    return fmt::format(
        "metric {} of experiment {} is the router's own and takes no rewards, "
        "expected {}",
        metric.name, experiment.name, FedBack(experiment));
  }
  const std::string value =
      fmt::format("{} is no value of metric {}", reward.value, metric.name);
  if (metric.kind == policies::RewardKind::kBinary) {
    return value + ", expected 0 or 1: it is binary";
  }
  if (metric.min || metric.max) {
    return fmt::format("{}, expected a number in [{}, {}]", value,
                       metric.min ? fmt::format("{}", *metric.min) : "-1e100",
                       metric.max ? fmt::format("{}", *metric.max) : "1e100");
  }
  return value + ", expected a finite number within 1e100";
}

}  // namespace

std::string WhyRefused(const Reward& reward, const Verdict& verdict,
                       const experiment::Plan& plan, absl::Time now) {
  if (verdict.outcome == Outcome::kUnknown) {
    return WhyUnknown(reward, verdict, plan);
  }
  const Experiment& experiment = plan.experiments[*verdict.experiment];
  if (verdict.outcome == Outcome::kRejected) {
    return WhyRejected(reward, verdict, experiment);
  }
  const Metric& metric = experiment.metrics[*verdict.metric];
  const absl::Duration age =
      now - absl::FromUnixMillis(reward.decision.time_ms);
  return fmt::format(
      "the decision was made {} ago, and the window of metric {} is {}",
      absl::FormatDuration(absl::Trunc(age, absl::Milliseconds(100))),
      metric.name, absl::FormatDuration(metric.window));
}

}  // namespace bandit::learning
