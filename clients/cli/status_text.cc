// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/status_text.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <vector>

#include "clients/cli/lifecycle_text.h"
#include "clients/cli/table.h"
#include "fmt/format.h"

namespace bandit::cli {
namespace {

constexpr std::string_view kNothing = "-";

absl::Duration Age(const google::protobuf::Timestamp& then, absl::Time now) {
  const absl::Time time =
      absl::FromUnixSeconds(then.seconds()) + absl::Nanoseconds(then.nanos());
  return std::max(absl::ZeroDuration(), now - time);
}

// "2h3m5s"; below a minute to a tenth of a second, "4.2s", "300ms".
std::string Words(absl::Duration age) {
  const absl::Duration unit =
      age < absl::Minutes(1) ? absl::Milliseconds(100) : absl::Seconds(1);
  const std::string text = absl::FormatDuration(absl::Trunc(age, unit));
  return text == "0" ? "0s" : text;
}

// Counts are whole unless the policy discounts them.
std::string Count(double count) {
  return std::floor(count) == count ? fmt::format("{:.0f}", count)
                                    : fmt::format("{:.1f}", count);
}

std::string Milliseconds(const google::protobuf::Duration& duration) {
  return fmt::format("{:.1f}", static_cast<double>(duration.seconds()) * 1e3 +
                                   static_cast<double>(duration.nanos()) / 1e6);
}

// Protobuf's maps have no order.
template <typename Map>
std::map<std::string, uint64_t> Sorted(const Map& counts) {
  return {counts.begin(), counts.end()};
}

// "LATE 3, REJECTED 1"
std::string Join(const std::map<std::string, uint64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, count);
  }
  return text;
}

std::map<std::string, uint64_t> Errors(const v1::ArmStatus& arm) {
  std::map<std::string, uint64_t> errors = Sorted(arm.codes());
  errors.erase("OK");
  return errors;
}

std::vector<std::string> ArmRow(const v1::ArmStatus& arm, uint64_t decisions) {
  const bool rewarded = arm.reward_count() > 0;
  const bool finished = !arm.codes().empty();
  uint64_t errors = 0;
  for (const auto& [code, count] : Errors(arm)) errors += count;
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
      Count(arm.reward_count()),
      quantile(arm.latency().p50()),
      quantile(arm.latency().p95()),
      quantile(arm.latency().p99()),
      fmt::format("{}", arm.in_flight()),
      fmt::format("{}", errors),
  };
}

// What guardrails did, and what they found broken.
std::string RenderGuardrails(const v1::ExperimentStatus& experiment) {
  std::string text;
  if (!experiment.rolled_back().empty()) {
    text += fmt::format("  ROLLED BACK to the control arm: {}\n",
                        experiment.rolled_back());
  }
  for (const v1::ArmStatus& arm : experiment.arms()) {
    if (arm.state().empty() || arm.state() == "active") continue;
    text += fmt::format("  {} is {}: {}\n", arm.name(),
                        arm.state() == "ejected" ? "EJECTED" : "on probation",
                        arm.state_reason());
  }
  for (const v1::GuardrailStatus& rule : experiment.guardrails()) {
    if (!rule.broken()) continue;
    text += fmt::format("  {} of {} is broken ({}): {}\n", rule.rule(),
                        rule.arm(), rule.action(), rule.reason());
  }
  if (experiment.held()) text += "  guardrails hold the ramp\n";
  return text;
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
                        Join(Sorted(experiment.uncounted())));
  }
  std::vector<std::vector<std::string>> rows = {
      {"arm", "backend", "probability", "decisions", "share", "reward mean",
       "rewards", "p50 ms", "p95 ms", "p99 ms", "in flight", "errors"}};
  for (const v1::ArmStatus& arm : experiment.arms()) {
    rows.push_back(ArmRow(arm, experiment.decisions()));
  }
  text += RenderColumns(rows, 2);
  for (const v1::ArmStatus& arm : experiment.arms()) {
    const std::string errors = Join(Errors(arm));
    if (errors.empty()) continue;
    text += fmt::format("  errors of {}: {}\n", arm.name(), errors);
  }
  text += RenderGuardrails(experiment);
  for (const v1::MetricStatus& metric : experiment.metrics()) {
    const std::string outcomes = Join(Sorted(metric.outcomes()));
    text += fmt::format("  rewards for {}: {}\n", metric.name(),
                        outcomes.empty() ? "none yet" : outcomes);
  }
  return text;
}

}  // namespace

std::string RenderStatus(const v1::RouterStatus& status, absl::Time now) {
  std::string text = fmt::format("bandit-router {}, up {}, ", status.version(),
                                 Words(Age(status.started(), now)));
  text += status.learned().seconds() > 0
              ? fmt::format("last learned {} ago\n",
                            Words(Age(status.learned(), now)))
              : "has not learned yet\n";
  if (!status.degraded().empty()) {
    text += fmt::format("DEGRADED: {}\n", status.degraded());
  }
  if (status.experiments().empty()) text += "no experiments\n";
  for (const v1::ExperimentStatus& experiment : status.experiments()) {
    text += RenderExperiment(experiment);
  }
  return text;
}

}  // namespace bandit::cli
