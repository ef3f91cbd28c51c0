// SPDX-License-Identifier: Apache-2.0
// Guardrails of one experiment: rules, arms, and what follows from both.
#ifndef BANDIT_ROUTER_GUARDRAILS_EXPERIMENT_GUARD_H_
#define BANDIT_ROUTER_GUARDRAILS_EXPERIMENT_GUARD_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "router/guardrails/arm_life.h"
#include "router/guardrails/rule.h"
#include "router/guardrails/rule_watch.h"
#include "router/guardrails/state.h"
#include "router/guardrails/sums.h"

namespace bandit::guardrails {

enum class Event {
  kAlert,       // A rule is broken, and that is all.
  kHold,        // The ramp must not go on.
  kRelease,     // It may again.
  kEjected,     // The arm gets no more requests.
  kProbation,   // It gets some again.
  kActive,      // It gets what the policy gives it.
  kRolledBack,  // All requests go to the control arm, until a person says so.
  kReinstated,  // A person said so.
};
std::string_view Name(Event event);

struct Transition {
  std::string experiment;
  std::string arm;   // Empty where it is about the experiment.
  std::string rule;  // Empty where none was broken.
  Event event = Event::kAlert;
  std::string reason;  // One line, for people.
  absl::Time time;
};

struct GuardSetup {
  struct Arm {
    std::string name;
    // What serves it (backend, model); if it changes, the arm starts afresh.
    std::string identity;
  };
  std::string experiment;
  std::vector<Arm> arms;
  size_t control = 0;
  std::vector<Rule> rules;
  Probation probation;
};

// Of one arm, all since the process began.
struct ArmTotals {
  std::vector<Sums> rules;  // In the setup's order.
  double finished = 0;      // Requests.
};

// Thread-safety: none.   Determinism: the calls alone.
class ExperimentGuard {
 public:
  // Goes on where `before` ended, for arms and rules that are still the same.
  ExperimentGuard(GuardSetup setup, const GuardState& before,
                  absl::Span<const ArmTotals> totals, absl::Time now);

  // A look at all rules of all arms that get requests. What has changed.
  std::vector<Transition> Tick(absl::Span<const ArmTotals> totals,
                               absl::Time now);
  // Undoes a roll-back and brings all arms back at once.
  Transition Reinstate(absl::Span<const ArmTotals> totals, std::string why,
                       absl::Time now);

  // Bit i: arm i may get requests. Never 0.
  uint64_t eligible() const;
  // The largest probability of each arm; empty: no arm has one.
  std::vector<double> caps() const;
  // Whether a ramp must not go on: a rule with the action `hold` is broken, an
  // arm is out or on probation, or the experiment was rolled back.
  bool hold() const;
  bool rolled_back() const { return !rolled_back_.empty(); }
  // Why; empty if not.
  const std::string& rolled_back_why() const { return rolled_back_; }

  const GuardSetup& setup() const { return setup_; }
  const ArmRecord& arm(size_t i) const { return arms_[i].life.record(); }
  const RuleWatch& watch(size_t arm, size_t rule) const {
    return arms_[arm].watches[rule];
  }
  // Whether the rule is one for this arm: one beside the control arm is not
  // for that arm itself.
  bool Applies(size_t arm, size_t rule) const {
    return arm != setup_.control || !setup_.rules[rule].relative();
  }

  GuardState State(absl::Span<const ArmTotals> totals) const;

 private:
  struct Arm {
    ArmLife life;
    std::vector<RuleWatch> watches;
    double finished = 0;  // At the last tick.
  };

  void Look(size_t arm, absl::Span<const ArmTotals> totals, absl::Time now,
            std::vector<Transition>* out);
  // Whether the rule, broken by this arm, changes where requests go.
  bool Moves(size_t arm, const Rule& rule) const;
  void Act(size_t arm, const Rule& rule, const std::string& reason,
           absl::Time now, std::vector<Transition>* out);
  void Eject(size_t arm, const Rule& rule, const std::string& reason,
             absl::Time now, std::vector<Transition>* out);
  bool HoldRuleBroken(absl::Time now) const;
  void UpdateHold(absl::Time now, std::vector<Transition>* out);
  void Restart(size_t arm, absl::Span<const ArmTotals> totals, absl::Time now);
  bool AnotherIsActive(size_t arm) const;
  Transition Of(Event event, size_t arm, const std::string& rule,
                std::string reason, absl::Time now) const;

  GuardSetup setup_;
  std::vector<Arm> arms_;
  bool held_ = false;
  std::string rolled_back_;
};

}  // namespace bandit::guardrails

#endif  // BANDIT_ROUTER_GUARDRAILS_EXPERIMENT_GUARD_H_
