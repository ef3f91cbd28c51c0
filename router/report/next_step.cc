// SPDX-License-Identifier: Apache-2.0
#include "router/report/next_step.h"

#include <cmath>
#include <string>
#include <vector>

#include "fmt/format.h"

namespace bandit::report {
namespace {

enum class Side { kUnknown, kBetter, kWorse };

// Where the difference lies for sure.
Side SideOf(const v1::MetricReport& metric, const v1::ArmMetric& arm) {
  if (!arm.difference().has_anytime()) return Side::kUnknown;
  const v1::Interval& interval = arm.difference().anytime();
  if (interval.low() > 0) return metric.cost() ? Side::kWorse : Side::kBetter;
  if (interval.high() < 0) return metric.cost() ? Side::kBetter : Side::kWorse;
  return Side::kUnknown;
}

// "click: +0.012 (0.004 to 0.02)"
std::string Words(const v1::MetricReport& metric, const v1::ArmMetric& arm) {
  const v1::Effect& difference = arm.difference();
  std::string text = fmt::format(
      "{}: {:+.4g} ({:.4g} to {:.4g})", metric.name(), difference.value(),
      difference.anytime().low(), difference.anytime().high());
  if (arm.lift().has_value()) {
    text += fmt::format(", {:+.1f} %", 100 * arm.lift().value());
  }
  return text;
}

struct Standing {
  std::string arm;
  Side reward = Side::kUnknown;
  double difference = 0;  // Of the reward, larger is better.
  std::string reward_words;
  std::vector<std::string> harms;  // Guardrails that are worse.
};

bool Guards(const v1::MetricReport& metric) {
  return metric.role() == "guardrail" ||
         (metric.role() == "built-in" &&
          (metric.name() == "error" || metric.name() == "latency_ms"));
}

std::vector<Standing> StandingsOf(const v1::Report& report) {
  std::vector<Standing> standings;
  for (const v1::MetricReport& metric : report.metrics()) {
    size_t next = 0;
    for (const v1::ArmMetric& arm : metric.arms()) {
      if (arm.arm() == report.control()) continue;
      if (next == standings.size()) {
        standings.push_back(
            {.arm = arm.arm(), .reward_words = {}, .harms = {}});
      }
      Standing& standing = standings[next++];
      const Side side = SideOf(metric, arm);
      if (metric.role() == "reward") {
        standing.reward = side;
        standing.difference =
            (metric.cost() ? -1 : 1) * arm.difference().value();
        if (side != Side::kUnknown) standing.reward_words = Words(metric, arm);
      } else if (Guards(metric) && side == Side::kWorse) {
        standing.harms.push_back(Words(metric, arm));
      }
    }
  }
  // What guardrails found counts, whatever the means say.
  for (Standing& standing : standings) {
    for (const v1::ArmReport& arm : report.arms()) {
      if (arm.name() != standing.arm || arm.state() != "ejected") continue;
      standing.harms.push_back(
          fmt::format("what guardrails hold: ejected, {}", arm.state_reason()));
    }
  }
  return standings;
}

void RolledBack(const v1::Report& report, v1::NextStep* step) {
  step->set_action(v1::NextStep::INVESTIGATE);
  step->add_why(fmt::format("guardrails sent all requests to {}: {}",
                            report.control(), report.rolled_back()));
  step->add_why(
      "find out why; `banditctl resume` lets the experiment run again, "
      "`banditctl conclude` ends it");
}

void Investigate(const v1::Report& report, v1::NextStep* step) {
  const v1::SplitCheck& split = report.split();
  step->set_action(v1::NextStep::INVESTIGATE);
  step->add_why(fmt::format(
      "the arms did not get the traffic that their propensities say: {} is {} "
      "by {:.1f} standard deviations (p = {:.2g}; {})",
      split.worst_arm(), split.z() > 0 ? "over" : "under", std::abs(split.z()),
      split.p(), split.method()));
  step->add_why(
      "until it is known why, no other number of this report can be believed");
}

void KeepGoing(const v1::Report& report, const std::vector<Standing>& standings,
               v1::NextStep* step) {
  step->set_action(v1::NextStep::KEEP_GOING);
  const v1::MetricReport& reward = report.metrics(0);
  bool bounded = false;
  for (const v1::ArmMetric& arm : reward.arms()) {
    bounded |= arm.difference().has_anytime();
    // The interval shrinks with the root of the data, near enough.
    const v1::Effect& difference = arm.difference();
    const double value = std::abs(difference.value());
    if (!difference.has_anytime() || !(value > 0)) continue;
    const double half =
        (difference.anytime().high() - difference.anytime().low()) / 2;
    const double factor = half / value * (half / value);
    if (factor > 1 && factor < 1000) {
      step->add_why(fmt::format(
          "{}: the interval of the difference still holds 0; if the "
          "difference is what it looks like, about {:.{}f} times the decisions "
          "so far will tell",
          arm.arm(), factor, factor < 10 ? 1 : 0));
    } else if (factor >= 1000) {
      step->add_why(fmt::format(
          "{}: no difference to be seen; what there may be is between {:.4g} "
          "and {:.4g}",
          arm.arm(), difference.anytime().low(), difference.anytime().high()));
    }
  }
  if (!bounded) {
    step->add_why(
        fmt::format("too few decisions with a known {} to compare the arms",
                    reward.name()));
  }
  for (const Standing& standing : standings) {
    for (const std::string& harm : standing.harms) {
      step->add_why(fmt::format("{} is worse in {}", standing.arm, harm));
    }
  }
}

}  // namespace

v1::NextStep Advise(const v1::Report& report) {
  v1::NextStep step;
  if (report.split().verdict() == v1::SplitCheck::MISMATCH) {
    Investigate(report, &step);
    return step;
  }
  if (!report.rolled_back().empty()) {
    RolledBack(report, &step);
    return step;
  }
  const std::vector<Standing> standings = StandingsOf(report);
  const Standing* best = nullptr;
  bool all_worse = !standings.empty();
  for (const Standing& standing : standings) {
    const bool harmful = !standing.harms.empty();
    if (standing.reward == Side::kBetter && !harmful &&
        (best == nullptr || standing.difference > best->difference)) {
      best = &standing;
    }
    all_worse &= standing.reward == Side::kWorse ||
                 (harmful && standing.reward != Side::kBetter);
  }
  if (best != nullptr) {
    step.set_action(v1::NextStep::PROMOTE);
    step.set_arm(best->arm);
    step.add_why(fmt::format("{} is better than {}: {}", best->arm,
                             report.control(), best->reward_words));
    step.add_why("it is worse in no guardrail, as far as can be told");
    return step;
  }
  if (!all_worse) {
    KeepGoing(report, standings, &step);
    return step;
  }
  step.set_action(v1::NextStep::ROLL_BACK);
  step.set_arm(standings.front().arm);
  for (const Standing& standing : standings) {
    if (standing.reward == Side::kWorse) {
      step.add_why(fmt::format("{} is worse than {}: {}", standing.arm,
                               report.control(), standing.reward_words));
    }
    for (const std::string& harm : standing.harms) {
      step.add_why(fmt::format("{} is worse in {}", standing.arm, harm));
    }
  }
  return step;
}

}  // namespace bandit::report
