// SPDX-License-Identifier: Apache-2.0
// One rule's eye on one arm.
#ifndef BANDIT_ROUTER_GUARDRAILS_RULE_WATCH_H_
#define BANDIT_ROUTER_GUARDRAILS_RULE_WATCH_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "router/guardrails/detector.h"
#include "router/guardrails/rule.h"
#include "router/guardrails/state.h"
#include "router/guardrails/window.h"

namespace bandit::guardrails {

// All of a rule that its judgement depends on, as one line.
std::string KeyOf(const Rule& rule);

// After it finds the rule broken it begins again with what comes then, and the
// rule counts as broken for a while that doubles each time that this happens
// meanwhile.
// Thread-safety: none.   Determinism: the calls alone.
class RuleWatch {
 public:
  // Relative rules cost the most and are looked at this often.
  static constexpr absl::Duration kRelativePause = absl::Seconds(1);

  RuleWatch(const Rule& rule, const Sums& arm, const Sums& control,
            absl::Time now);
  // Goes on with a record of this rule (KeyOf).
  RuleWatch(const Rule& rule, const WatchRecord& record, const Sums& arm,
            const Sums& control, absl::Time now);

  // Forgets the evidence, not the trips.
  void Restart(const Rule& rule, const Sums& arm, const Sums& control,
               absl::Time now);

  // The rule does not count as broken any more.
  void Forgive() {
    until_ = absl::InfinitePast();
    in_a_row_ = 0;
  }

  // Sums are all that was observed so far. True: found broken by this look.
  bool Look(const Rule& rule, const Probation& probation, const Sums& arm,
            const Sums& control, absl::Time now);
  // Whether the rule counts as broken.
  bool broken(absl::Time now) const { return now < until_; }

  // The figures behind the last finding.
  const std::string& reason() const { return reason_; }
  uint64_t trips() const { return trips_; }
  // ln of the evidence at the last look; 0 for a threshold.
  double log_evidence() const { return log_evidence_; }

  // Its `rule` is KeyOf.
  WatchRecord Record(const Rule& rule, const Sums& arm,
                     const Sums& control) const;

 private:
  bool Judge(const Rule& rule, const Sums& arm, const Sums& control,
             absl::Time now);

  // One of the two, as the rule says.
  std::optional<Detector> detector_;
  std::optional<Window> window_;
  absl::Time looked_ = absl::InfinitePast();
  double looked_at_ = 0;  // Observations.
  double log_evidence_ = 0;
  absl::Time until_ = absl::InfinitePast();
  uint32_t in_a_row_ = 0;
  uint64_t trips_ = 0;
  std::string reason_;
};

}  // namespace bandit::guardrails

#endif  // BANDIT_ROUTER_GUARDRAILS_RULE_WATCH_H_
