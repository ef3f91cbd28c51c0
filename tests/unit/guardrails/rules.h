// SPDX-License-Identifier: Apache-2.0
// Rules and observations, for tests.
#ifndef BANDIT_TESTS_UNIT_GUARDRAILS_RULES_H_
#define BANDIT_TESTS_UNIT_GUARDRAILS_RULES_H_

#include <string>

#include "router/guardrails/rule.h"
#include "router/guardrails/sums.h"

namespace bandit::guardrails {

inline const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

// "error below 0.02"
inline Rule ErrorRule(Action action = Action::kEject) {
  return {.name = "error below 0.02",
          .metric = "error",
          .bound = 0.02,
          .action = action};
}

inline Rule BesideControl(double margin, Action action = Action::kEject) {
  return {.name = "error below control plus",
          .metric = "error",
          .against = Against::kControlPlus,
          .bound = margin,
          .action = action};
}

// `hits` of `count` values are 1, the others 0.
inline Sums Hits(double hits, double count) {
  return {.count = count, .sum = hits, .squares = hits};
}

}  // namespace bandit::guardrails

#endif  // BANDIT_TESTS_UNIT_GUARDRAILS_RULES_H_
