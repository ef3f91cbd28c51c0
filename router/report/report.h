// SPDX-License-Identifier: Apache-2.0
// From an experiment's sums to its report.
#ifndef BANDIT_ROUTER_REPORT_REPORT_H_
#define BANDIT_ROUTER_REPORT_REPORT_H_

#include "bandit/v1/report.pb.h"
#include "router/report/input.h"

namespace bandit::report {

// All but `router_version`. Differences and lifts share alpha among the arms
// that are compared with the control (Bonferroni): that any interval of the
// reward metric ever leaves the truth out has probability alpha at most.
// Determinism: a pure function.   Cost: some milliseconds an arm and metric,
// whatever the number of decisions.
v1::Report MakeReport(const Input& input);

}  // namespace bandit::report

#endif  // BANDIT_ROUTER_REPORT_REPORT_H_
