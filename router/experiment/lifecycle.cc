// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/lifecycle.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "fmt/format.h"
#include "fmt/ranges.h"

namespace bandit::experiment {
namespace {

struct Transition {
  std::vector<State> from;
  std::optional<State> to;  // Empty: where it was.
};

Transition TransitionOf(Act act) {
  switch (act) {
    case Act::kStart:
      return {{State::kDraft}, State::kRunning};
    case Act::kPause:
      return {{State::kRunning}, State::kPaused};
    case Act::kResume:
      return {{State::kPaused, State::kRolledBack, State::kConcluded},
              State::kRunning};
    case Act::kPromote:
    case Act::kConclude:
      return {{State::kRunning, State::kPaused, State::kRolledBack},
              State::kConcluded};
    case Act::kRollBack:
      return {{State::kRunning, State::kPaused, State::kConcluded},
              State::kRolledBack};
    case Act::kRamp:
      return {{State::kRunning}, State::kRunning};
    case Act::kReset:
      // A draft has learned nothing, what is concluded is its record.
      return {{State::kRunning, State::kPaused, State::kRolledBack}, {}};
  }
  return {{}, {}};
}

}  // namespace

absl::StatusOr<State> Next(State state, Act act) {
  const Transition transition = TransitionOf(act);
  std::vector<std::string_view> from;
  for (const State possible : transition.from) {
    if (possible == state) return transition.to.value_or(state);
    from.push_back(Name(possible));
  }
  return absl::FailedPreconditionError(
      fmt::format("it is {}, and {} is for one that is {}", Name(state),
                  Name(act), fmt::join(from, " or ")));
}

double ShareOf(absl::Span<const RampStage> stages,
               const RampProgress& progress) {
  return progress.stage < stages.size() ? stages[progress.stage].share : 1;
}

bool StageIsOver(absl::Span<const RampStage> stages,
                 const RampProgress& progress) {
  return progress.stage < stages.size() &&
         stages[progress.stage].lasts != absl::InfiniteDuration() &&
         progress.elapsed >= stages[progress.stage].lasts;
}

RampProgress FitRamp(absl::Span<const RampStage> stages,
                     const RampProgress& progress, double share) {
  if (ShareOf(stages, progress) == share) {
    return {.stage = std::min(progress.stage, stages.size()),
            .elapsed = progress.elapsed};
  }
  if (stages.empty()) return {};
  size_t stage = 0;
  while (stage + 1 < stages.size() && stages[stage + 1].share <= share) ++stage;
  return {.stage = stage, .elapsed = absl::ZeroDuration()};
}

}  // namespace bandit::experiment
