// SPDX-License-Identifier: Apache-2.0
// What the router measures by itself, by name.
#ifndef BANDIT_ROUTER_EXPERIMENT_BUILTIN_METRIC_H_
#define BANDIT_ROUTER_EXPERIMENT_BUILTIN_METRIC_H_

#include <string_view>

#include "policies/policy.h"
#include "router/experiment/plan.h"

namespace bandit::experiment {

struct Builtin {
  std::string_view name;
  MetricSource source;
  policies::RewardKind kind;
};
inline constexpr Builtin kBuiltins[] = {
    {"latency_ms", MetricSource::kLatencyMs, policies::RewardKind::kContinuous},
    {"ttfb_ms", MetricSource::kTtfbMs, policies::RewardKind::kContinuous},
    {"error", MetricSource::kError, policies::RewardKind::kBinary},
    {"response_bytes", MetricSource::kResponseBytes,
     policies::RewardKind::kContinuous},
    {"cost", MetricSource::kCost, policies::RewardKind::kContinuous},
};

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_BUILTIN_METRIC_H_
