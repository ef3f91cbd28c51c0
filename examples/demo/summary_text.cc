// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "examples/demo/summary.h"
#include "fmt/format.h"

namespace bandit::demo {
namespace {

constexpr v1::Outcome kOutcomes[] = {v1::ACCEPTED, v1::DUPLICATE, v1::LATE,
                                     v1::UNKNOWN, v1::REJECTED};

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::string Percent(const std::optional<Estimate>& value) {
  if (!value.has_value()) return "unknown";
  return fmt::format("{:.1f} ± {:.1f}", 100 * value->mean,
                     200 * value->standard_error);
}

// "neighbours", "centroid and neighbours".
std::string Names(const RunFacts& run, const std::vector<size_t>& arms) {
  std::string names;
  for (size_t i = 0; i < arms.size(); ++i) {
    if (i > 0) names += i + 1 == arms.size() ? " and " : ", ";
    names += run.arms[arms[i]].name;
  }
  return names;
}

std::string GrowthText(const RunFacts& run, const Growth& growth,
                       std::string_view where) {
  if (!growth.told_apart()) {
    return fmt::format("  {}: too few rewards to tell the arms apart\n", where);
  }
  const bool one = growth.best.size() == 1;
  return fmt::format(
      "  {}: {} {} best; {} share went from {:.0f} % (first {:.0f} s) to "
      "{:.0f} % "
      "(last quarter)\n",
      where, Names(run, growth.best), one ? "is" : "are equally",
      one ? "its" : "their", 100 * growth.first,
      absl::ToDoubleSeconds(run.traffic) / 30, 100 * growth.last);
}

std::string ArmsText(const Summary& summary, const Tally& tally) {
  const RunFacts& run = summary.run;
  std::string text = fmt::format(
      "{:<12}{:>9}{:>7}{:>12}{:>15}{:>9}{:>9}{:>6}\n", "arm", "requests",
      "share", "% correct", "% if it had", "p50 ms", "p99 ms", "cost");
  text += fmt::format("{:<12}{:>9}{:>7}{:>12}{:>15}{:>9}{:>9}{:>6}\n", "", "",
                      "", "of its own", "served all", "", "", "/1k");
  for (size_t arm = 0; arm < tally.arms(); ++arm) {
    const Tally::Cell cell = tally.Arm(arm);
    // ± is two bytes wide but one column.
    const std::string value = Percent(tally.Value(arm));
    const int width = value.find("±") == std::string::npos ? 15 : 16;
    text += fmt::format(
        "{:<12}{:>9}{:>5.0f} %{:>12.1f}{:>{}}{:>9.1f}{:>9.1f}{:>6.1f}\n",
        run.arms[arm].name, cell.served,
        tally.served() == 0 ? 0
                            : 100.0 * static_cast<double>(cell.served) /
                                  static_cast<double>(tally.served()),
        100 * cell.mean(), value, width,
        absl::ToDoubleMilliseconds(tally.Latency(arm, 0.5)),
        absl::ToDoubleMilliseconds(tally.Latency(arm, 0.99)),
        run.arms[arm].cost);
  }
  return text;
}

std::string DevicesText(const Summary& summary, const Tally& tally) {
  const RunFacts& run = summary.run;
  std::string text =
      "\nShare per device in the last quarter (and % correct)\n            ";
  for (const ArmInfo& arm : run.arms) {
    text += fmt::format("{:>17}", arm.name);
  }
  text += "\n";
  for (const Device device : kDevices) {
    const std::vector<double> shares =
        tally.Shares(run.traffic * 0.75, absl::InfiniteDuration(), device);
    text += fmt::format("  {:<10}", DeviceName(device));
    for (size_t arm = 0; arm < tally.arms(); ++arm) {
      text += fmt::format("{:>8.0f} % ({:>4.1f})", 100 * shares[arm],
                          100 * tally.cell(arm, device).mean());
    }
    text += "\n";
  }
  return text;
}

std::string RewardsText(const Summary& summary, const Tally& tally) {
  std::string text = "\nRewards:";
  for (const v1::Outcome outcome : kOutcomes) {
    text +=
        fmt::format("{} {} {}", outcome == v1::ACCEPTED ? "" : ",",
                    tally.outcomes(outcome), Lower(v1::Outcome_Name(outcome)));
  }
  if (summary.run.rewards_retried > 0) {
    text += fmt::format("; {} sent again", summary.run.rewards_retried);
  }
  if (summary.run.router.has_value()) {
    double counted = 0;
    for (const auto& arm : summary.run.router->arms()) {
      counted += arm.reward_count();
    }
    text += fmt::format("; the router counts {:.0f}", counted);
  }
  return text + "\n";
}

nlohmann::json Json(const std::optional<Estimate>& estimate) {
  if (!estimate.has_value()) return nullptr;
  return {{"mean", estimate->mean},
          {"standard_error", estimate->standard_error}};
}

nlohmann::json Json(const RunFacts& run, const Growth& growth) {
  nlohmann::json best = nlohmann::json::array();
  for (const size_t arm : growth.best) best.push_back(run.arms[arm].name);
  return {{"best", best},
          {"even", growth.even},
          {"first", growth.first},
          {"last", growth.last}};
}

nlohmann::json ArmJson(const RunFacts& run, const Tally& tally, size_t arm) {
  const Tally::Cell total = tally.Arm(arm);
  nlohmann::json json = {
      {"name", run.arms[arm].name},
      {"requests", total.served},
      {"rewards", total.rewards},
      {"mean", total.mean()},
      {"value", Json(tally.Value(arm))},
      {"p50_ms", absl::ToDoubleMilliseconds(tally.Latency(arm, 0.5))},
      {"p99_ms", absl::ToDoubleMilliseconds(tally.Latency(arm, 0.99))},
      {"cost_per_1000", run.arms[arm].cost}};
  for (const Device device : kDevices) {
    const Tally::Cell& cell = tally.cell(arm, device);
    json["devices"][std::string(DeviceName(device))] = {
        {"requests", cell.served},
        {"rewards", cell.rewards},
        {"mean", cell.mean()},
        {"share_last", tally.Shares(run.traffic * 0.75,
                                    absl::InfiniteDuration(), device)[arm]}};
  }
  return json;
}

}  // namespace

std::string SummaryText(const Summary& summary, const Tally& tally) {
  const RunFacts& run = summary.run;
  std::string text = fmt::format(
      "\n{}{}, {:.0f} s of traffic, seed {}: {} requests, {} failed\n\n",
      run.interrupted ? "Interrupted. " : "", run.policy,
      absl::ToDoubleSeconds(run.traffic), run.seed, tally.served(),
      tally.failed());
  text += ArmsText(summary, tally);
  text += fmt::format(
      "\nCorrect answers per 100 requests\n  obtained    {:.1f}"
      "  (cost {:.1f} per 1,000 requests)\n",
      100 * summary.obtained, summary.cost_per_1000);
  text += fmt::format(
      "  best arm    {}  ({} for every request)\n", Percent(summary.best_fixed),
      summary.best_arm.has_value() ? run.arms[*summary.best_arm].name : "?");
  text += fmt::format("  even split  {}\n", Percent(summary.even_split));
  text +=
      "  ± two standard errors, from each arm's own served requests, "
      "weighted by device\n";
  if (run.contextual) text += DevicesText(summary, tally);
  text += RewardsText(summary, tally);

  text += "\nWhat the policy learned\n";
  if (run.regression) {
    text += "  not judged: an arm turned slow half-way\n";
  } else if (!run.adaptive) {
    text += fmt::format("  nothing: {} keeps its weights\n", run.policy);
  } else if (run.contextual) {
    for (const Device device : kDevices) {
      text +=
          GrowthText(run, summary.device_growth[static_cast<size_t>(device)],
                     fmt::format("on {} pictures", DeviceName(device)));
    }
  } else {
    text += GrowthText(run, summary.growth, "on all pictures");
  }

  text += "\n";
  for (const std::string& problem : summary.problems) {
    text += fmt::format("FAILED: {}\n", problem);
  }
  if (summary.problems.empty()) {
    text += run.interrupted ? "Stopped before the end; no failure until then.\n"
                            : "The loop works.\n";
  }
  return text;
}

nlohmann::json SummaryJson(const Summary& summary, const Tally& tally) {
  const RunFacts& run = summary.run;
  nlohmann::json json = {{"policy", run.policy},
                         {"seed", run.seed},
                         {"seconds", absl::ToDoubleSeconds(run.traffic)},
                         {"interrupted", run.interrupted},
                         {"requests", tally.served()},
                         {"failed", tally.failed()},
                         {"obtained", summary.obtained},
                         {"best_arm", nullptr},
                         {"best_fixed", Json(summary.best_fixed)},
                         {"even_split", Json(summary.even_split)},
                         {"cost_per_1000", summary.cost_per_1000},
                         {"growth", Json(run, summary.growth)},
                         {"rewards_retried", run.rewards_retried},
                         {"problems", summary.problems},
                         {"ok", summary.problems.empty()}};
  if (summary.best_arm.has_value()) {
    json["best_arm"] = run.arms[*summary.best_arm].name;
  }
  for (const v1::Outcome outcome : kOutcomes) {
    json["outcomes"][Lower(v1::Outcome_Name(outcome))] =
        tally.outcomes(outcome);
  }
  for (const Device device : kDevices) {
    json["device_growth"][std::string(DeviceName(device))] =
        Json(run, summary.device_growth[static_cast<size_t>(device)]);
  }
  for (size_t arm = 0; arm < tally.arms(); ++arm) {
    json["arms"].push_back(ArmJson(run, tally, arm));
  }
  return json;
}

}  // namespace bandit::demo
