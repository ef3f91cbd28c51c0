// SPDX-License-Identifier: Apache-2.0
// The plain test: the figure of the last while against the bound.
#ifndef BANDIT_ROUTER_GUARDRAILS_WINDOW_H_
#define BANDIT_ROUTER_GUARDRAILS_WINDOW_H_

#include <deque>

#include "absl/time/time.h"
#include "router/guardrails/rule.h"
#include "router/guardrails/sums.h"

namespace bandit::guardrails {

// A sliding window of `rule.window`, in steps of an eighth of it. It makes no
// promise of how often it is wrong: of looks at noise, some are above any
// bound. Thread-safety: none.
class Window {
 public:
  Window(Sums arm, Sums control, absl::Time now);

  // True: over the window the figures break the rule, and each arm that they
  // are of has `rule.min_samples`.
  bool Look(const Rule& rule, const Sums& arm, const Sums& control,
            absl::Time now);

  // What lies before the window.
  const Sums& arm() const { return marks_.front().arm; }
  const Sums& control() const { return marks_.front().control; }

 private:
  struct Mark {
    absl::Time time;
    Sums arm;
    Sums control;
  };

  std::deque<Mark> marks_;
};

}  // namespace bandit::guardrails

#endif  // BANDIT_ROUTER_GUARDRAILS_WINDOW_H_
