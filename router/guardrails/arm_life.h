// SPDX-License-Identifier: Apache-2.0
// One arm's way out and back: active, ejected for a while that doubles, on
// probation with a small share, active.
#ifndef BANDIT_ROUTER_GUARDRAILS_ARM_LIFE_H_
#define BANDIT_ROUTER_GUARDRAILS_ARM_LIFE_H_

#include <string>
#include <utility>

#include "absl/time/time.h"
#include "router/guardrails/rule.h"
#include "router/guardrails/state.h"

namespace bandit::guardrails {

// base * 2^n, at most `max`. n counts from 0.
absl::Duration BackOff(const Probation& probation, uint32_t n);

// Thread-safety: none. Time that runs backwards counts as standing still.
class ArmLife {
 public:
  explicit ArmLife(ArmRecord record = {}) : record_(std::move(record)) {}

  // From any state.
  void Eject(const Probation& probation, std::string rule, std::string reason,
             absl::Time now);
  // Makes it active, as if nothing had been.
  void Reinstate(absl::Time now);
  // Moves on with time and with `requests` more that have finished. True: the
  // state is another one.
  bool Advance(const Probation& probation, double requests, absl::Time now);

  ArmState state() const { return record_.state; }
  const ArmRecord& record() const { return record_; }

 private:
  void Enter(ArmState state, absl::Time now);

  ArmRecord record_;
};

}  // namespace bandit::guardrails

#endif  // BANDIT_ROUTER_GUARDRAILS_ARM_LIFE_H_
