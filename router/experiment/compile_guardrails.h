// SPDX-License-Identifier: Apache-2.0
// From an experiment's guardrails in the config to rules.
#ifndef BANDIT_ROUTER_EXPERIMENT_COMPILE_GUARDRAILS_H_
#define BANDIT_ROUTER_EXPERIMENT_COMPILE_GUARDRAILS_H_

#include <string>

#include "absl/status/status.h"
#include "bandit/v1/config.pb.h"
#include "router/experiment/plan.h"

namespace bandit::experiment {

// The rule in words: "latency_ms p99 below 250". Its name if none is given.
std::string InWords(const v1::GuardrailConfig& rule);

// REQUIRES: the experiment's metrics are compiled.
// Fails with InvalidArgument if a rule names a metric that is not there.
absl::Status CompileGuardrails(const v1::ExperimentConfig& config,
                               Experiment* experiment);

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_COMPILE_GUARDRAILS_H_
