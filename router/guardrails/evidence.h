// SPDX-License-Identifier: Apache-2.0
// What observations say of a rule.
#ifndef BANDIT_ROUTER_GUARDRAILS_EVIDENCE_H_
#define BANDIT_ROUTER_GUARDRAILS_EVIDENCE_H_

#include <string>

#include "router/guardrails/rule.h"
#include "router/guardrails/sums.h"

namespace bandit::guardrails {

// ln of the evidence (an e-value) that the rule is broken: that at some moment
// the arm was more likely to fail it than is allowed. For a mean of values
// whose range is not known it holds asymptotically, after 100 of them. 0
// without observations. Cost: some microseconds, relative rules up to 0.3 ms.
double LogEvidence(const Rule& rule, const Sums& arm, const Sums& control);

// Whether LogEvidence holds at every sample size, so that many tests may be
// started in a row.
bool IsExact(const Rule& rule);

// The arm's figure, in the metric's unit (a rate for counts). 0 without an
// observation.
double Figure(const Rule& rule, const Sums& sums);

// Whether the figures alone break the rule.
bool IsBeyond(const Rule& rule, const Sums& arm, const Sums& control);

// The figures in words: "0.125 of 96 above 250, where 0.01 may be".
std::string Describe(const Rule& rule, const Sums& arm, const Sums& control);

}  // namespace bandit::guardrails

#endif  // BANDIT_ROUTER_GUARDRAILS_EVIDENCE_H_
