// SPDX-License-Identifier: Apache-2.0
#include "router/guardrails/experiment_guard.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "fmt/format.h"

namespace bandit::guardrails {
namespace {

const GuardState::Arm* Find(const GuardState& state,
                            const GuardSetup::Arm& arm) {
  for (const GuardState::Arm& one : state.arms) {
    if (one.name == arm.name && one.identity == arm.identity) return &one;
  }
  return nullptr;
}

// What is found beside the control arm says nothing beside another.
std::string KeyOf(const Rule& rule, const GuardSetup::Arm& control) {
  std::string key = KeyOf(rule);
  if (rule.relative()) {
    key += fmt::format(" {} {}", control.name, control.identity);
  }
  return key;
}

const WatchRecord* Find(const GuardState::Arm* arm, const Rule& rule,
                        const GuardSetup::Arm& control) {
  if (arm == nullptr) return nullptr;
  const std::string key = KeyOf(rule, control);
  for (const WatchRecord& watch : arm->watches) {
    if (watch.rule == key) return &watch;
  }
  return nullptr;
}

}  // namespace

std::string_view Name(Event event) {
  switch (event) {
    case Event::kAlert:
      return "alert";
    case Event::kHold:
      return "hold";
    case Event::kRelease:
      return "release";
    case Event::kEjected:
      return "ejected";
    case Event::kProbation:
      return "probation";
    case Event::kActive:
      return "active";
    case Event::kRolledBack:
      return "rolled_back";
    case Event::kReinstated:
      return "reinstated";
  }
  return "";
}

ExperimentGuard::ExperimentGuard(GuardSetup setup, const GuardState& before,
                                 absl::Span<const ArmTotals> totals,
                                 absl::Time now)
    : setup_(std::move(setup)), rolled_back_(before.rolled_back) {
  assert(totals.size() == setup_.arms.size());
  for (size_t a = 0; a < setup_.arms.size(); ++a) {
    const GuardState::Arm* old = Find(before, setup_.arms[a]);
    Arm& arm = arms_.emplace_back();
    if (old != nullptr) arm.life = ArmLife(old->record);
    arm.finished = totals[a].finished;
    for (size_t r = 0; r < setup_.rules.size(); ++r) {
      const Rule& rule = setup_.rules[r];
      const Sums& own = totals[a].rules[r];
      const Sums& control = totals[setup_.control].rules[r];
      const WatchRecord* record = Find(old, rule, setup_.arms[setup_.control]);
      arm.watches.push_back(record != nullptr
                                ? RuleWatch(rule, *record, own, control, now)
                                : RuleWatch(rule, own, control, now));
    }
  }
  // No rule is left that could bring it back.
  if (setup_.rules.empty()) {
    rolled_back_.clear();
    for (Arm& arm : arms_) arm.life = ArmLife();
  }
  held_ = HoldRuleBroken(now);
}

std::vector<Transition> ExperimentGuard::Tick(
    absl::Span<const ArmTotals> totals, absl::Time now) {
  std::vector<Transition> out;
  if (setup_.rules.empty()) return out;
  for (size_t a = 0; a < arms_.size(); ++a) {
    const double requests = totals[a].finished - arms_[a].finished;
    arms_[a].finished = totals[a].finished;
    if (!arms_[a].life.Advance(setup_.probation, requests, now)) continue;
    if (arms_[a].life.state() == ArmState::kProbation) {
      // What it did before it was ejected is settled.
      Restart(a, totals, now);
      out.push_back(Of(Event::kProbation, a, "",
                       fmt::format("gets at most {:g} of the requests",
                                   setup_.probation.share),
                       now));
    } else {
      out.push_back(
          Of(Event::kActive, a, "", "was well while on probation", now));
    }
  }
  for (size_t a = 0; a < arms_.size() && !rolled_back(); ++a) {
    if (arms_[a].life.state() != ArmState::kEjected) Look(a, totals, now, &out);
  }
  UpdateHold(now, &out);
  return out;
}

void ExperimentGuard::Look(size_t a, absl::Span<const ArmTotals> totals,
                           absl::Time now, std::vector<Transition>* out) {
  const absl::Span<const Sums> control = totals[setup_.control].rules;
  for (size_t r = 0; r < setup_.rules.size(); ++r) {
    if (!Applies(a, r)) continue;
    const Rule& rule = setup_.rules[r];
    RuleWatch& watch = arms_[a].watches[r];
    const bool known = watch.broken(now);
    if (!watch.Look(rule, setup_.probation, totals[a].rules[r], control[r],
                    now)) {
      continue;
    }
    // Said already, and nothing else is done.
    if (known && !Moves(a, rule)) continue;
    Act(a, rule, watch.reason(), now, out);
    if (rolled_back() || arms_[a].life.state() == ArmState::kEjected) return;
  }
}

bool ExperimentGuard::Moves(size_t a, const Rule& rule) const {
  switch (rule.action) {
    case Action::kAlert:
    case Action::kHold:
      return false;
    case Action::kEject:
      return a != setup_.control || AnotherIsActive(a);
    case Action::kRollBack:
      // There is nothing better to go back to.
      return a != setup_.control;
  }
  return false;
}

void ExperimentGuard::Act(size_t a, const Rule& rule, const std::string& reason,
                          absl::Time now, std::vector<Transition>* out) {
  switch (rule.action) {
    case Action::kAlert:
      out->push_back(Of(Event::kAlert, a, rule.name, reason, now));
      return;
    case Action::kHold:
      out->push_back(Of(Event::kHold, a, rule.name, reason, now));
      held_ = true;
      return;
    case Action::kEject:
      Eject(a, rule, reason, now, out);
      return;
    case Action::kRollBack:
      if (!Moves(a, rule)) {
        out->push_back(Of(Event::kAlert, a, rule.name, reason, now));
        return;
      }
      rolled_back_ =
          fmt::format("arm {}, {}: {}", setup_.arms[a].name, rule.name, reason);
      out->push_back(Of(Event::kRolledBack, a, rule.name, reason, now));
      return;
  }
}

void ExperimentGuard::Eject(size_t a, const Rule& rule,
                            const std::string& reason, absl::Time now,
                            std::vector<Transition>* out) {
  if (!Moves(a, rule)) {
    out->push_back(Of(Event::kAlert, a, rule.name,
                      reason + "; it stays, because no other arm is left",
                      now));
    return;
  }
  if (!AnotherIsActive(a) &&
      arms_[setup_.control].life.state() == ArmState::kEjected) {
    // Of bad arms the known one serves.
    arms_[setup_.control].life.Reinstate(now);
    out->push_back(
        Of(Event::kActive, setup_.control, "", "no other arm is left", now));
  }
  arms_[a].life.Eject(setup_.probation, rule.name, reason, now);
  out->push_back(
      Of(Event::kEjected, a, rule.name,
         fmt::format("{}; for {}", reason,
                     absl::FormatDuration(arms_[a].life.record().until - now)),
         now));
}

bool ExperimentGuard::HoldRuleBroken(absl::Time now) const {
  for (const Arm& arm : arms_) {
    for (size_t r = 0; r < setup_.rules.size(); ++r) {
      if (setup_.rules[r].action == Action::kHold &&
          arm.watches[r].broken(now)) {
        return true;
      }
    }
  }
  return false;
}

void ExperimentGuard::UpdateHold(absl::Time now, std::vector<Transition>* out) {
  const bool held = HoldRuleBroken(now);
  if (std::exchange(held_, held) && !held) {
    out->push_back(Transition{.experiment = setup_.experiment,
                              .arm = "",
                              .rule = "",
                              .event = Event::kRelease,
                              .reason = "no rule that holds is broken any more",
                              .time = now});
  }
}

Transition ExperimentGuard::Reinstate(absl::Span<const ArmTotals> totals,
                                      std::string why, absl::Time now) {
  rolled_back_.clear();
  for (size_t a = 0; a < arms_.size(); ++a) {
    arms_[a].life.Reinstate(now);
    for (RuleWatch& watch : arms_[a].watches) watch.Forgive();
    Restart(a, totals, now);
  }
  held_ = false;
  return {.experiment = setup_.experiment,
          .arm = "",
          .rule = "",
          .event = Event::kReinstated,
          .reason = std::move(why),
          .time = now};
}

void ExperimentGuard::Restart(size_t a, absl::Span<const ArmTotals> totals,
                              absl::Time now) {
  for (size_t r = 0; r < setup_.rules.size(); ++r) {
    arms_[a].watches[r].Restart(setup_.rules[r], totals[a].rules[r],
                                totals[setup_.control].rules[r], now);
  }
}

bool ExperimentGuard::AnotherIsActive(size_t a) const {
  for (size_t other = 0; other < arms_.size(); ++other) {
    if (other != a && arms_[other].life.state() == ArmState::kActive) {
      return true;
    }
  }
  return false;
}

uint64_t ExperimentGuard::eligible() const {
  const uint64_t control = uint64_t{1} << setup_.control;
  if (rolled_back()) return control;
  uint64_t eligible = 0;
  for (size_t a = 0; a < arms_.size(); ++a) {
    if (arms_[a].life.state() != ArmState::kEjected) {
      eligible |= uint64_t{1} << a;
    }
  }
  // Arms that a reload took away may have been the only ones left.
  return eligible != 0 ? eligible : control;
}

std::vector<double> ExperimentGuard::caps() const {
  std::vector<double> caps;
  if (rolled_back()) return caps;
  for (size_t a = 0; a < arms_.size(); ++a) {
    if (arms_[a].life.state() != ArmState::kProbation) continue;
    caps.resize(arms_.size(), 1);
    caps[a] = setup_.probation.share;
  }
  return caps;
}

bool ExperimentGuard::hold() const {
  return held_ || rolled_back() ||
         std::any_of(arms_.begin(), arms_.end(), [](const Arm& arm) {
           return arm.life.state() != ArmState::kActive;
         });
}

Transition ExperimentGuard::Of(Event event, size_t arm, const std::string& rule,
                               std::string reason, absl::Time now) const {
  return {.experiment = setup_.experiment,
          .arm = setup_.arms[arm].name,
          .rule = rule,
          .event = event,
          .reason = std::move(reason),
          .time = now};
}

GuardState ExperimentGuard::State(absl::Span<const ArmTotals> totals) const {
  GuardState state{.arms = {}, .rolled_back = rolled_back_};
  for (size_t a = 0; a < arms_.size(); ++a) {
    GuardState::Arm& arm = state.arms.emplace_back();
    arm.name = setup_.arms[a].name;
    arm.identity = setup_.arms[a].identity;
    arm.record = arms_[a].life.record();
    for (size_t r = 0; r < setup_.rules.size(); ++r) {
      arm.watches.push_back(
          arms_[a].watches[r].Record(setup_.rules[r], totals[a].rules[r],
                                     totals[setup_.control].rules[r]));
      arm.watches.back().rule =
          KeyOf(setup_.rules[r], setup_.arms[setup_.control]);
    }
  }
  return state;
}

}  // namespace bandit::guardrails
