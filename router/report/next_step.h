// SPDX-License-Identifier: Apache-2.0
// What to do next, and why.
#ifndef BANDIT_ROUTER_REPORT_NEXT_STEP_H_
#define BANDIT_ROUTER_REPORT_NEXT_STEP_H_

#include "bandit/v1/report.pb.h"

namespace bandit::report {

// From all else that the report says. Anytime-valid intervals alone decide, so
// that acting on the advice of any look keeps the error rate:
//
//   investigate  the split is not what the propensities say
//   roll back    every other arm is worse than the control, or worse in what
//                it costs (errors, latency) without being better in the reward
//   promote      one is better, and worse in no guardrail
//   keep going   else
v1::NextStep Advise(const v1::Report& report);

}  // namespace bandit::report

#endif  // BANDIT_ROUTER_REPORT_NEXT_STEP_H_
