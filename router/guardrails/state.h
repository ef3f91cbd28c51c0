// SPDX-License-Identifier: Apache-2.0
// What guardrails remember of an experiment, in a form that outlives the
// process and the config: by names, with sums counted from the moment of
// keeping backwards.
#ifndef BANDIT_ROUTER_GUARDRAILS_STATE_H_
#define BANDIT_ROUTER_GUARDRAILS_STATE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "router/guardrails/detector.h"

namespace bandit::guardrails {

enum class ArmState { kActive, kEjected, kProbation };
std::string_view Name(ArmState state);

// Where an arm stands.
struct ArmRecord {
  ArmState state = ArmState::kActive;
  absl::Time since = absl::InfinitePast();
  // kEjected: when it goes on probation.
  absl::Time until = absl::InfinitePast();
  // In a row; sets how long the next one lasts.
  uint32_t ejections = 0;
  // Requests finished on probation.
  double requests = 0;
  // The rule that ejected it last, and the figures.
  std::string rule;
  std::string reason;
};

// What one rule found of one arm.
struct WatchRecord {
  // Of the rule as it was: another one starts afresh.
  std::string rule;
  // Tests of kAnytime: `arm` and `control` are what was observed since each
  // started.
  std::vector<Detector::Start> tests;
  uint64_t started = 0;
  // The rule counts as broken until then.
  absl::Time until = absl::InfinitePast();
  uint32_t in_a_row = 0;
  uint64_t trips = 0;
  std::string reason;
};

struct GuardState {
  struct Arm {
    std::string name;
    // What serves it; another one starts afresh.
    std::string identity;
    ArmRecord record;
    std::vector<WatchRecord> watches;
  };
  std::vector<Arm> arms;
  // Empty: not rolled back; else the rule and the figures.
  std::string rolled_back;
};

}  // namespace bandit::guardrails

#endif  // BANDIT_ROUTER_GUARDRAILS_STATE_H_
