// SPDX-License-Identifier: Apache-2.0
#include "examples/demo/router_config.h"

#include "fmt/format.h"

namespace bandit::demo {

std::string RouterConfig(const RouterConfigInput& input) {
  std::string backends;
  std::string arms;
  for (const auto& [name, address] : input.variants) {
    backends += fmt::format("  {}: {{address: \"{}\"}}\n", name, address);
    arms += fmt::format("      - {{name: {0}, backend: {0}}}\n", name);
  }
  const std::string guardrails = input.guardrail ? R"(    guardrails:
      - {metric: latency_ms, quantile: 0.95, below: 150}
    probation: {base_ejection: 10s, duration: 10s, requests: 20}
)"
                                                 : "";
  return fmt::format(
      R"(listen: 127.0.0.1:0
control: 127.0.0.1:0
admin: 127.0.0.1:0
state: "sqlite://{state}"

backends:
{backends}
default_backend: {first}

experiments:
  - name: {experiment}
    match:
      service: inference.GRPCInferenceService
      method: ModelInfer
      model: digits
    unit: {{metadata: x-user-id}}
    arms:
{arms}    policy: {{name: {policy}, floor: 0.02}}
    reward: {{metric: {metric}}}
    metrics:
      - {{name: {metric}, kind: binary, window: 1h}}
    context:
      features:
        - {{name: device, metadata: x-device, categories: [scanner, camera]}}
{guardrails})",
      fmt::arg("state", input.state_path), fmt::arg("backends", backends),
      fmt::arg("first", input.variants.front().first),
      fmt::arg("experiment", kExperiment), fmt::arg("arms", arms),
      fmt::arg("policy", input.policy), fmt::arg("metric", kMetric),
      fmt::arg("guardrails", guardrails));
}

}  // namespace bandit::demo
