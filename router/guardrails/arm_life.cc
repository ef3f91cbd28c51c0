// SPDX-License-Identifier: Apache-2.0
#include "router/guardrails/arm_life.h"

#include <algorithm>
#include <cmath>

namespace bandit::guardrails {

std::string_view Name(ArmState state) {
  switch (state) {
    case ArmState::kActive:
      return "active";
    case ArmState::kEjected:
      return "ejected";
    case ArmState::kProbation:
      return "probation";
  }
  return "";
}

absl::Duration BackOff(const Probation& probation, uint32_t n) {
  // 2^30 times a millisecond is 12 days.
  const double times = std::ldexp(1, static_cast<int>(std::min(n, 30U)));
  return std::min(times * probation.base_ejection, probation.max_ejection);
}

void ArmLife::Enter(ArmState state, absl::Time now) {
  record_.state = state;
  record_.since = now;
  record_.until = absl::InfinitePast();
  record_.requests = 0;
}

void ArmLife::Eject(const Probation& probation, std::string rule,
                    std::string reason, absl::Time now) {
  Enter(ArmState::kEjected, now);
  record_.until = now + BackOff(probation, record_.ejections);
  ++record_.ejections;
  record_.rule = std::move(rule);
  record_.reason = std::move(reason);
}

void ArmLife::Reinstate(absl::Time now) {
  record_ = {};
  record_.since = now;
}

bool ArmLife::Advance(const Probation& probation, double requests,
                      absl::Time now) {
  switch (record_.state) {
    case ArmState::kActive:
      // Well for as long as it could have been out: a next time is a first.
      if (record_.ejections > 0 &&
          now - record_.since >= probation.max_ejection) {
        record_.ejections = 0;
      }
      return false;
    case ArmState::kEjected:
      if (now < record_.until) return false;
      Enter(ArmState::kProbation, now);
      return true;
    case ArmState::kProbation:
      record_.requests += requests;
      // Without traffic there is no verdict, for it either.
      if (now - record_.since < probation.duration ||
          record_.requests < probation.requests) {
        return false;
      }
      Enter(ArmState::kActive, now);
      return true;
  }
  return false;
}

}  // namespace bandit::guardrails
