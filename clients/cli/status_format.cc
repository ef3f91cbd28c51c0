// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/status_format.h"

#include <algorithm>
#include <cmath>

#include "fmt/format.h"

namespace bandit::cli {

std::string JoinCounts(const Counts& counts) {
  std::string text;
  for (const auto& [name, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, count);
  }
  return text;
}

std::string DurationWords(absl::Duration duration) {
  const absl::Duration unit =
      duration < absl::Minutes(1) ? absl::Milliseconds(100) : absl::Seconds(1);
  const std::string text = absl::FormatDuration(absl::Trunc(duration, unit));
  return text == "0" ? "0s" : text;
}

std::string AgeWords(const google::protobuf::Timestamp& then, absl::Time now) {
  const absl::Time time =
      absl::FromUnixSeconds(then.seconds()) + absl::Nanoseconds(then.nanos());
  return DurationWords(std::max(absl::ZeroDuration(), now - time));
}

std::string CountWords(double count) {
  return std::floor(count) == count ? fmt::format("{:.0f}", count)
                                    : fmt::format("{:.1f}", count);
}

std::string Milliseconds(const google::protobuf::Duration& duration) {
  return fmt::format("{:.1f}", static_cast<double>(duration.seconds()) * 1e3 +
                                   static_cast<double>(duration.nanos()) / 1e6);
}

Counts ErrorsOf(const v1::ArmStatus& arm) {
  Counts errors = SortedCounts(arm.codes());
  errors.erase("OK");
  return errors;
}

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

}  // namespace bandit::cli
