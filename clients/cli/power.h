// SPDX-License-Identifier: Apache-2.0
// How many units an experiment needs, before it starts.
#ifndef BANDIT_CLIENTS_CLI_POWER_H_
#define BANDIT_CLIENTS_CLI_POWER_H_

#include <optional>
#include <string>

#include "clients/cli/result.h"

namespace bandit::cli {

struct PowerOptions {
  // The control's rate, or its mean if `deviation` is given.
  double baseline = 0;
  // The smallest difference worth finding: absolute, or as a fraction of the
  // baseline if `relative`.
  double effect = 0;
  bool relative = false;
  // Standard deviation of a unit's value; absent: the metric is a rate.
  std::optional<double> deviation;
  double alpha = 0.05;
  double power = 0.8;
  // The control included; each of the others is compared with it.
  int arms = 2;
  // The control's share of the units; absent: as much as the others.
  std::optional<double> control_share;
  // Correlation of a covariate with the metric (CUPED).
  double correlation = 0;
  // Units a day; absent: no days are told.
  std::optional<double> per_day;
};

struct SampleSize {
  // Units of all arms together, for one look at the end...
  double fixed = 0;
  // ...and to look at any time, by the asymptotic confidence sequence that is
  // tightest at this number.
  double anytime = 0;
};

// REQUIRES: what Power checks.
SampleSize PlanSize(const PowerOptions& options);

// kInvalid if an option makes no sense.
Result Power(const PowerOptions& options, bool json);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_POWER_H_
