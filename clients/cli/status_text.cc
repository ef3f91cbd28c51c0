// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/status_text.h"

#include <vector>

#include "clients/cli/lifecycle_text.h"
#include "clients/cli/report_format.h"
#include "clients/cli/status_format.h"
#include "clients/cli/table.h"
#include "fmt/format.h"

namespace bandit::cli {
namespace {

std::vector<std::string> ArmRow(const v1::ArmStatus& arm, uint64_t decisions) {
  const bool rewarded = arm.reward_count() > 0;
  const bool finished = !arm.codes().empty();
  uint64_t errors = 0;
  for (const auto& [code, count] : ErrorsOf(arm)) errors += count;
  const auto quantile = [&](const google::protobuf::Duration& duration) {
    return finished ? Milliseconds(duration) : std::string(kNothing);
  };
  return {
      arm.name(),
      arm.backend(),
      fmt::format("{:.4f}", arm.probability()),
      fmt::format("{}", arm.decisions()),
      decisions > 0
          ? fmt::format("{:.1f} %", 100 * static_cast<double>(arm.decisions()) /
                                        static_cast<double>(decisions))
          : std::string(kNothing),
      rewarded ? fmt::format("{:.4g}", arm.reward_mean())
               : std::string(kNothing),
      CountWords(arm.reward_count()),
      quantile(arm.latency().p50()),
      quantile(arm.latency().p95()),
      quantile(arm.latency().p99()),
      fmt::format("{}", arm.in_flight()),
      fmt::format("{}", errors),
  };
}

std::string RenderExperiment(const v1::ExperimentStatus& experiment) {
  std::string text = fmt::format(
      "\n{}: {}{}{}, epoch {}, {} decisions\n", experiment.name(),
      experiment.policy(), experiment.reward_metric().empty() ? "" : " on ",
      experiment.reward_metric(), experiment.epoch(), experiment.decisions());
  text += RenderLifecycle(experiment.lifecycle());
  if (experiment.overlay()) {
    text += "  an overlay: others choose the backend\n";
  }
  if (!experiment.layer().empty()) {
    text +=
        fmt::format("  layer {}: units from {:g} to {:g}\n", experiment.layer(),
                    experiment.layer_from(), experiment.layer_to());
  }
  if (experiment.alike()) text += "  A/A: all arms are alike\n";
  if (!experiment.uncounted().empty()) {
    text += fmt::format("  not counted: {}\n",
                        JoinCounts(SortedCounts(experiment.uncounted())));
  }
  std::vector<std::vector<std::string>> rows = {
      {"arm", "backend", "probability", "decisions", "share", "reward mean",
       "rewards", "p50 ms", "p95 ms", "p99 ms", "in flight", "errors"}};
  for (const v1::ArmStatus& arm : experiment.arms()) {
    rows.push_back(ArmRow(arm, experiment.decisions()));
  }
  text += RenderColumns(rows, 2);
  for (const v1::ArmStatus& arm : experiment.arms()) {
    const std::string errors = JoinCounts(ErrorsOf(arm));
    if (errors.empty()) continue;
    text += fmt::format("  errors of {}: {}\n", arm.name(), errors);
  }
  text += RenderGuardrails(experiment);
  for (const v1::MetricStatus& metric : experiment.metrics()) {
    const std::string outcomes = JoinCounts(SortedCounts(metric.outcomes()));
    text += fmt::format("  rewards for {}: {}\n", metric.name(),
                        outcomes.empty() ? "none yet" : outcomes);
  }
  return text;
}

}  // namespace

std::string RenderStatus(const v1::RouterStatus& status, absl::Time now) {
  std::string text = fmt::format("bandit-router {}, up {}, ", status.version(),
                                 AgeWords(status.started(), now));
  text += status.learned().seconds() > 0
              ? fmt::format("last learned {} ago\n",
                            AgeWords(status.learned(), now))
              : "has not learned yet\n";
  if (!status.degraded().empty()) {
    text += fmt::format("DEGRADED: {}\n", status.degraded());
  }
  if (status.unmatched() > 0) {
    text += fmt::format(
        "{} {} matched no experiment: other calls than for its model, or its "
        "`match` is not right\n",
        status.unmatched(), status.unmatched() == 1 ? "request" : "requests");
  }
  if (!status.stray_rewards().empty()) {
    text += fmt::format(
        "rewards that belong to no experiment here: {}; tokens are damaged or "
        "of another router\n",
        JoinCounts(SortedCounts(status.stray_rewards())));
  }
  if (status.experiments().empty()) text += "no experiments\n";
  for (const v1::ExperimentStatus& experiment : status.experiments()) {
    text += RenderExperiment(experiment);
  }
  return text;
}

}  // namespace bandit::cli
