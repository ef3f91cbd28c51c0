// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "clients/cli/report_format.h"
#include "clients/cli/simulate.h"
#include "clients/cli/table.h"
#include "fmt/format.h"
#include "router/config/scalar.h"

namespace bandit::cli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr size_t kSparks = 50;

std::string Percent(double share) {
  return fmt::format("{:.1f} %", 100 * share);
}

// The moments that the table shows, by index: 10, 25, 50 and 100 % of the run.
std::vector<int> ShownMoments(const v1::SimulatedPolicy& policy) {
  std::vector<int> shown;
  for (const int percent : {10, 25, 50, 100}) {
    const int index = std::max(1, policy.moments_size() * percent / 100) - 1;
    if (shown.empty() || shown.back() != index) shown.push_back(index);
  }
  return shown;
}

std::string Regret(const v1::Simulation& simulation) {
  const v1::SimulatedPolicy& first = simulation.policies(0);
  const std::vector<int> shown = ShownMoments(first);
  Rows rows(1);
  rows[0] = {"policy"};
  for (const int m : shown) {
    rows[0].push_back((m == shown[0] ? "regret at " : "at ") +
                      LengthWords(first.moments(m).time()));
  }
  for (const char* name : {"+-", "best arm", "last tenth", "90 % after"}) {
    rows[0].emplace_back(name);
  }
  for (const v1::SimulatedPolicy& policy : simulation.policies()) {
    std::vector<std::string>& row = rows.emplace_back();
    row.push_back(PolicyLabel(policy));
    for (const int m : shown) row.push_back(Number(policy.moments(m).regret()));
    row.push_back(
        simulation.runs() > 1
            ? Number(policy.moments(shown.back()).regret_standard_error())
            : std::string(kNothing));
    row.push_back(Percent(policy.best_share()));
    row.push_back(Percent(policy.final_best_share()));
    row.push_back(policy.has_mostly_best_after()
                      ? LengthWords(policy.mostly_best_after())
                      : std::string(kNothing));
  }
  return RenderColumns(rows, 1);
}

// A share in [0, 1] as one character.
std::string_view Spark(double share) {
  constexpr std::string_view kSteps[] = {"▁", "▂", "▃", "▄",
                                         "▅", "▆", "▇", "█"};
  return kSteps[std::clamp(static_cast<int>(share * 8), 0, 7)];
}

std::string Sparklines(const v1::Simulation& simulation) {
  size_t width = 0;
  for (const v1::SimulatedPolicy& policy : simulation.policies()) {
    width = std::max(width, PolicyLabel(policy).size());
  }
  std::string text;
  for (const v1::SimulatedPolicy& policy : simulation.policies()) {
    text += fmt::format("  {:<{}}  ", PolicyLabel(policy), width);
    const auto moments = static_cast<size_t>(policy.moments_size());
    const size_t sparks = std::min(kSparks, moments);
    for (size_t s = 0; s < sparks; ++s) {
      // The moments that this character stands for, equally long.
      const size_t from = s * moments / sparks;
      const size_t to = (s + 1) * moments / sparks;
      double sum = 0;
      for (size_t m = from; m < to; ++m) {
        sum += policy.moments(static_cast<int>(m)).best_share();
      }
      text += Spark(sum / static_cast<double>(to - from));
    }
    text += '\n';
  }
  return text;
}

// A row an arm: the truth, then a cell of each policy.
template <typename Cell>
std::string ByArm(const v1::Simulation& simulation, Cell cell) {
  Rows rows(1);
  rows[0] = {"arm", "true mean"};
  for (const v1::SimulatedPolicy& policy : simulation.policies()) {
    rows[0].push_back(PolicyLabel(policy));
  }
  for (int a = 0; a < simulation.arms_size(); ++a) {
    std::vector<std::string>& row = rows.emplace_back();
    row = {simulation.arms(a), Number(simulation.true_means(a))};
    for (const v1::SimulatedPolicy& policy : simulation.policies()) {
      row.push_back(cell(policy, a));
    }
  }
  return RenderColumns(rows, 1);
}

}  // namespace

std::string PolicyLabel(const v1::SimulatedPolicy& policy) {
  return policy.label() + (policy.configured() ? " (config)" : "");
}

std::string LengthWords(const google::protobuf::Duration& length) {
  const absl::Duration exact = config::FromProto(length);
  const absl::Duration unit = exact >= absl::Hours(10) ? absl::Minutes(1)
                              : exact >= absl::Seconds(10)
                                  ? absl::Seconds(1)
                                  : absl::Milliseconds(1);
  return absl::FormatDuration(absl::Floor(exact + unit / 2, unit));
}

std::string SettingWords(const v1::Simulation& simulation) {
  const v1::SimulatedPolicy& first = simulation.policies(0);
  std::string text = fmt::format(
      "{} arms on {}, {} decisions at {:.6g}/s ({}), {} run{}, seed {}",
      simulation.arms_size(), simulation.reward_metric(), simulation.rounds(),
      simulation.rate(),
      LengthWords(first.moments(first.moments_size() - 1).time()),
      simulation.runs(), simulation.runs() == 1 ? "" : "s", simulation.seed());
  if (simulation.replicas() == 1) return text;
  return text + (config::FromProto(simulation.sync()) > absl::ZeroDuration()
                     ? fmt::format(", {} replicas that exchange every {}",
                                   simulation.replicas(),
                                   LengthWords(simulation.sync()))
                     : fmt::format(", {} replicas, each by itself",
                                   simulation.replicas()));
}

std::string RenderSimulation(const v1::Simulation& simulation) {
  std::string text = fmt::format("{}: {}\n\n", simulation.experiment(),
                                 SettingWords(simulation));
  text += Regret(simulation);
  text += "\nShare of the best arm over time:\n" + Sparklines(simulation);
  text += "\nShare of the last tenth of the decisions:\n";
  text += ByArm(simulation, [](const v1::SimulatedPolicy& policy, int a) {
    return Percent(policy.final_shares(a));
  });
  text += "\nMean that was learned, of the runs that learned one:\n";
  text += ByArm(simulation, [](const v1::SimulatedPolicy& policy, int a) {
    return policy.found(a) > 0 ? Number(policy.estimates(a))
                               : std::string(kNothing);
  });
  if (simulation.left_out_size() + simulation.notes_size() > 0) text += '\n';
  for (const std::string& why : simulation.left_out()) {
    text += fmt::format("left out {}\n", why);
  }
  for (const std::string& note : simulation.notes()) {
    text += fmt::format("note: {}\n", note);
  }
  return text;
}

}  // namespace bandit::cli
