// SPDX-License-Identifier: Apache-2.0
// The reward within the segments of the traffic.
#ifndef BANDIT_ROUTER_REPORT_SEGMENT_REPORTS_H_
#define BANDIT_ROUTER_REPORT_SEGMENT_REPORTS_H_

#include "bandit/v1/report.pb.h"
#include "router/report/effects.h"
#include "router/report/input.h"

namespace bandit::report {

// By 16 buckets of units a value. Intervals are for one look: many segments
// are looked at, so the p-values of an arm's are adjusted (Benjamini-Hochberg),
// and values with fewer than 100 decisions of an arm get none.
// REQUIRES: the first metric is the reward.
void AddSegments(const Input& input, const Setting& setting,
                 v1::Report* report);

}  // namespace bandit::report

#endif  // BANDIT_ROUTER_REPORT_SEGMENT_REPORTS_H_
