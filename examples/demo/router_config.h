// SPDX-License-Identifier: Apache-2.0
// The router's config for the demo.
#ifndef BANDIT_EXAMPLES_DEMO_ROUTER_CONFIG_H_
#define BANDIT_EXAMPLES_DEMO_ROUTER_CONFIG_H_

#include <string>
#include <utility>
#include <vector>

namespace bandit::demo {

inline constexpr char kExperiment[] = "digits";
inline constexpr char kMetric[] = "correct";

struct RouterConfigInput {
  std::string policy;
  // An absolute path; the file need not exist.
  std::string state_path;
  // Name and address of each variant's server; the names become the arms'.
  std::vector<std::pair<std::string, std::string>> variants;
  // Whether an arm may be ejected for being slow.
  bool guardrail = false;
};

// YAML: free ports on the loopback, one experiment over all variants, rewarded
// by `correct`, with the device as context.
std::string RouterConfig(const RouterConfigInput& input);

}  // namespace bandit::demo

#endif  // BANDIT_EXAMPLES_DEMO_ROUTER_CONFIG_H_
