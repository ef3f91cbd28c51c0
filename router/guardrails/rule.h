// SPDX-License-Identifier: Apache-2.0
// What must hold of an arm, and what is done when it does not.
#ifndef BANDIT_ROUTER_GUARDRAILS_RULE_H_
#define BANDIT_ROUTER_GUARDRAILS_RULE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace bandit::guardrails {

enum class Measure {
  // The share of observations that count: errors, clicks, latencies above a
  // limit. A quantile below a limit is such a rule, too.
  kRate,
  // A quantile beside the control arm's.
  kQuantile,
  kMean,
};

enum class Against {
  kLimit,         // A number.
  kControlTimes,  // A multiple of the control arm's.
  kControlPlus,   // The control arm's and a margin.
};

enum class Test {
  // Anytime-valid: a healthy arm is found bad, ever, with probability `alpha`
  // at most.
  kAnytime,
  // The figure of the last `window`, once there are `min_samples`.
  kThreshold,
};

// In the order of their gravity.
enum class Action { kAlert, kHold, kEject, kRollBack };

std::string_view Name(Action action);

struct Rule {
  // Unique within the experiment: "error below 0.02".
  std::string name;
  std::string metric;
  Measure measure = Measure::kRate;
  Against against = Against::kLimit;
  // The figure must stay above what it is held against, not below.
  bool above = false;
  // The limit, the multiple or the margin. The rate that is allowed where
  // `counts_above` is set.
  double bound = 0;
  double quantile = 0;  // Of kQuantile; in (0, 1).
  // Set: what is counted is values above this.
  std::optional<double> counts_above;
  // What values can be, where known: then means are tested exactly.
  std::optional<double> min;
  std::optional<double> max;
  Test test = Test::kAnytime;
  double alpha = 0.01;                       // Of kAnytime.
  double min_samples = 100;                  // Of kThreshold; of each arm.
  absl::Duration window = absl::Minutes(1);  // Of kThreshold.
  Action action = Action::kEject;

  bool relative() const { return against != Against::kLimit; }

  friend bool operator==(const Rule&, const Rule&) = default;
};

// How an ejected arm comes back.
struct Probation {
  // The first time; then twice as long, and so on.
  absl::Duration base_ejection = absl::Minutes(1);
  absl::Duration max_ejection = absl::Hours(1);
  // Then it gets at most this share...
  double share = 0.05;
  // ...until it has been well for so long and so many requests.
  absl::Duration duration = absl::Minutes(1);
  double requests = 100;

  friend bool operator==(const Probation&, const Probation&) = default;
};

}  // namespace bandit::guardrails

#endif  // BANDIT_ROUTER_GUARDRAILS_RULE_H_
