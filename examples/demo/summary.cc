// SPDX-License-Identifier: Apache-2.0
#include "examples/demo/summary.h"

#include <algorithm>
#include <cmath>

#include "fmt/format.h"

namespace bandit::demo {
namespace {

constexpr double kFirst = 1.0 / 30;
constexpr double kLast = 0.25;

double JointShare(const std::vector<double>& shares,
                  const std::vector<size_t>& arms) {
  double joint = 0;
  for (const size_t arm : arms) joint += shares[arm];
  return joint;
}

std::optional<Estimate> ValueOn(const Tally& tally, size_t arm,
                                std::optional<Device> device) {
  return device.has_value() ? tally.Value(arm, *device) : tally.Value(arm);
}

void CheckLoop(const Tally& tally, Summary* summary) {
  auto problem = [summary](std::string text) {
    summary->problems.push_back(std::move(text));
  };
  const RunFacts& run = summary->run;
  if (tally.served() == 0) problem("no request was served");
  if (tally.failed() > 0) {
    problem(fmt::format("{} requests failed; the first: {}", tally.failed(),
                        tally.first_failure()));
  }
  for (const v1::Outcome outcome : {v1::OUTCOME_UNSPECIFIED, v1::DUPLICATE,
                                    v1::LATE, v1::UNKNOWN, v1::REJECTED}) {
    if (tally.outcomes(outcome) == 0) continue;
    problem(fmt::format("{} rewards were answered {}, expected ACCEPTED",
                        tally.outcomes(outcome), v1::Outcome_Name(outcome)));
  }
  if (run.rewards_open > 0) {
    problem(
        fmt::format("{} rewards were never acknowledged", run.rewards_open));
  }
  if (!run.router.has_value()) {
    problem("the router's status could not be read");
    return;
  }
  for (size_t arm = 0; arm < tally.arms(); ++arm) {
    const auto ours = static_cast<double>(tally.Arm(arm).rewards);
    const double theirs =
        arm < static_cast<size_t>(run.router->arms_size())
            ? run.router->arms(static_cast<int>(arm)).reward_count()
            : 0;
    if (std::abs(ours - theirs) > 1e-6 * std::max(1.0, ours)) {
      problem(fmt::format(
          "the router counts {} rewards for {}, {} were acknowledged", theirs,
          run.arms[arm].name, ours));
    }
  }
}

void CheckGrowth(const Growth& growth, const std::string& where,
                 Summary* summary) {
  if (!growth.told_apart()) {
    summary->problems.push_back(fmt::format(
        "too few rewards{} to tell the best arm from the others", where));
  } else if (!growth.grew()) {
    summary->problems.push_back(fmt::format(
        "{} did not move traffic{} to the best arm: {:.0f} % in the last "
        "quarter, {:.0f} % in an even split",
        summary->run.policy, where, 100 * growth.last, 100 * growth.even));
  }
}

}  // namespace

Growth JudgeGrowth(const Tally& tally, absl::Duration traffic,
                   std::optional<Device> device) {
  std::vector<std::optional<Estimate>> values;
  std::optional<Estimate> top;
  for (size_t arm = 0; arm < tally.arms(); ++arm) {
    values.push_back(ValueOn(tally, arm, device));
    if (values.back().has_value() &&
        (!top.has_value() || values.back()->mean > top->mean)) {
      top = values.back();
    }
  }
  Growth growth;
  if (!top.has_value()) return growth;
  for (size_t arm = 0; arm < tally.arms(); ++arm) {
    if (!values[arm].has_value()) continue;
    const double error =
        std::hypot(values[arm]->standard_error, top->standard_error);
    if (values[arm]->mean >= top->mean - 2 * error) growth.best.push_back(arm);
  }
  growth.even = static_cast<double>(growth.best.size()) /
                static_cast<double>(tally.arms());
  growth.first =
      JointShare(tally.Shares(absl::ZeroDuration(), traffic * kFirst, device),
                 growth.best);
  growth.last = JointShare(
      tally.Shares(traffic * (1 - kLast), absl::InfiniteDuration(), device),
      growth.best);
  return growth;
}

Summary Summarize(const Tally& tally, const RunFacts& run) {
  Summary summary;
  summary.run = run;
  summary.obtained = tally.All().mean();

  Estimate even;
  bool all_known = true;
  double cost = 0;
  for (size_t arm = 0; arm < tally.arms(); ++arm) {
    cost += run.arms[arm].cost * static_cast<double>(tally.Arm(arm).served);
    const std::optional<Estimate> value = tally.Value(arm);
    if (!value.has_value()) {
      all_known = false;
      continue;
    }
    even.mean += value->mean / static_cast<double>(tally.arms());
    even.standard_error =
        std::hypot(even.standard_error,
                   value->standard_error / static_cast<double>(tally.arms()));
    if (!summary.best_fixed.has_value() ||
        value->mean > summary.best_fixed->mean) {
      summary.best_arm = arm;
      summary.best_fixed = value;
    }
  }
  if (all_known) {
    summary.even_split = even;
  } else {
    summary.best_arm.reset();
    summary.best_fixed.reset();
  }
  if (tally.served() > 0) {
    summary.cost_per_1000 = cost / static_cast<double>(tally.served());
  }

  summary.growth = JudgeGrowth(tally, run.traffic, std::nullopt);
  for (const Device device : kDevices) {
    summary.device_growth[static_cast<size_t>(device)] =
        JudgeGrowth(tally, run.traffic, device);
  }

  CheckLoop(tally, &summary);
  if (run.adaptive && !run.regression && !run.interrupted) {
    if (run.contextual) {
      for (const Device device : kDevices) {
        CheckGrowth(summary.device_growth[static_cast<size_t>(device)],
                    fmt::format(" from the {}", DeviceName(device)), &summary);
      }
    } else {
      CheckGrowth(summary.growth, "", &summary);
    }
  }
  return summary;
}

}  // namespace bandit::demo
