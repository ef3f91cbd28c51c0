// SPDX-License-Identifier: Apache-2.0
// Did the arms get the traffic that their propensities say?
#ifndef BANDIT_ROUTER_REPORT_SPLIT_CHECK_H_
#define BANDIT_ROUTER_REPORT_SPLIT_CHECK_H_

#include "bandit/v1/report.pb.h"
#include "router/report/input.h"

namespace bandit::report {

// Below this p a mismatch is taken for real: most experiments are sound, so a
// laxer limit would mostly find chance (stats/srm.h).
inline constexpr double kMismatch = 0.001;

// By the martingale of draws where each request is its own unit, valid at every
// look. Where units stick to their arm their requests are drawn together:
// then by the spread across buckets of units, for this look.
v1::SplitCheck CheckSplit(const Input& input);

}  // namespace bandit::report

#endif  // BANDIT_ROUTER_REPORT_SPLIT_CHECK_H_
