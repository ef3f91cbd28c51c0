// SPDX-License-Identifier: Apache-2.0
#include "router/learning/act.h"

#include <algorithm>

#include "fmt/format.h"

namespace bandit::learning {
namespace {

using experiment::Act;
using experiment::State;

std::string Percent(double share) { return fmt::format("{:g} %", 100 * share); }

// The promoted arm; to another state it goes without one.
absl::StatusOr<std::string> ArmAfter(const experiment::Experiment& experiment,
                                     const ActRequest& request) {
  if (request.act != Act::kPromote) return std::string();
  if (std::none_of(
          experiment.arms.begin(), experiment.arms.end(),
          [&](const auto& other) { return other.name == request.arm; })) {
    return absl::NotFoundError(
        fmt::format("experiment {}: \"{}\" is not one of its arms",
                    experiment.name, request.arm));
  }
  return request.arm;
}

}  // namespace

bool NeedsApproval(const experiment::Approval& approval, State state, Act act) {
  switch (act) {
    case Act::kStart:
    case Act::kReset:
      return approval.start;
    case Act::kResume:
      // Such a one begins anew.
      return approval.start && state != State::kPaused;
    case Act::kPromote:
      return approval.promote;
    case Act::kRamp:
      return approval.ramp;
    default:
      return false;
  }
}

absl::StatusOr<std::string> ChangeLife(const experiment::Experiment& experiment,
                                       const ActRequest& request,
                                       absl::Time now, Life* life) {
  const auto next = Next(life->state, request.act);
  if (!next.ok()) {
    return absl::Status(next.status().code(),
                        fmt::format("experiment {}: {}", experiment.name,
                                    std::string(next.status().message())));
  }
  life->pending.reset();
  if (request.act == Act::kReset) {
    // Where it stands, and who brought it there, stays.
    return fmt::format("epoch {} -> {}", experiment.epoch,
                       experiment.epoch + 1);
  }
  const State before = life->state;
  auto arm = ArmAfter(experiment, request);
  if (!arm.ok()) return arm.status();
  life->arm = *std::move(arm);
  life->state = *next;
  life->changed = now;
  life->who = request.who;
  life->why = request.why;
  std::string detail =
      fmt::format("{} -> {}{}", Name(before), Name(*next),
                  life->arm.empty() ? "" : ", arm " + life->arm);
  if (request.act == Act::kRamp) {
    const double from = ShareOf(experiment.ramp, life->ramp);
    life->ramp = {.stage = life->ramp.stage + 1,
                  .elapsed = absl::ZeroDuration()};
    detail = fmt::format("{} -> {} of the units", Percent(from),
                         Percent(ShareOf(experiment.ramp, life->ramp)));
  } else if (*next == State::kRunning) {
    life->ramp_by = request.who;
    // What was taken back for its harm is let in by and by again.
    if (before == State::kRolledBack) life->ramp = {};
  }
  life->share = ShareOf(experiment.ramp, life->ramp);
  return detail;
}

}  // namespace bandit::learning
