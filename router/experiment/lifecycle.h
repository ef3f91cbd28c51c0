// SPDX-License-Identifier: Apache-2.0
// The life of an experiment: from a draft to its conclusion, by acts of people
// and guardrails.
//
//   draft ─start─▶ running ◀─pause/resume─▶ paused
//   running, paused, concluded ─roll back─▶ rolled back
//   running, paused, rolled back ─promote, conclude─▶ concluded
//   rolled back, concluded ─resume─▶ running
//   running, paused, rolled back ─reset─▶ as it was, in a new epoch
//
// While it does not run, all of its requests get one arm and none is counted.
#ifndef BANDIT_ROUTER_EXPERIMENT_LIFECYCLE_H_
#define BANDIT_ROUTER_EXPERIMENT_LIFECYCLE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace bandit::experiment {

enum class State : uint8_t {
  kDraft,       // Not started: the control arm.
  kRunning,     // Units are drawn.
  kPaused,      // The control arm, for a while.
  kRolledBack,  // The control arm, until a person resumes it.
  kConcluded,   // The promoted arm, or the control arm.
};
inline constexpr std::string_view kStates[] = {"draft", "running", "paused",
                                               "rolled_back", "concluded"};
inline std::string_view Name(State state) {
  return kStates[static_cast<size_t>(state)];
}

enum class Act : uint8_t {
  kStart,
  kPause,
  kResume,
  kPromote,
  kRollBack,
  kConclude,
  kRamp,   // The next stage.
  kReset,  // Forget what was learned: a new epoch.
};
inline constexpr std::string_view kActs[] = {"start",   "pause",     "resume",
                                             "promote", "roll_back", "conclude",
                                             "ramp",    "reset"};
inline std::string_view Name(Act act) {
  return kActs[static_cast<size_t>(act)];
}

// The state that `act` leads to.
// Fails with FailedPrecondition, saying from which states it is possible.
absl::StatusOr<State> Next(State state, Act act);

// Units are let in by and by: a stage lets in a share of them, and lasts a
// time.
struct RampStage {
  double share = 1;
  absl::Duration lasts;  // Infinite: it stays.

  friend bool operator==(const RampStage&, const RampStage&) = default;
};

struct RampProgress {
  size_t stage = 0;        // Past the last one: all units are in.
  absl::Duration elapsed;  // In which the stage ran and nothing held it.

  friend bool operator==(const RampProgress&, const RampProgress&) = default;
};

// Without stages, and past the last one, 1.
double ShareOf(absl::Span<const RampStage> stages,
               const RampProgress& progress);

// The stage has lasted its time, and there is one after it, or all.
bool StageIsOver(absl::Span<const RampStage> stages,
                 const RampProgress& progress);

// Where a ramp goes on whose stages were edited while it let in `share`: at the
// same stage if it lets in the same, else at the beginning of the last stage
// that lets in no more, so that an edit never lets units in by itself.
RampProgress FitRamp(absl::Span<const RampStage> stages,
                     const RampProgress& progress, double share);

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_LIFECYCLE_H_
