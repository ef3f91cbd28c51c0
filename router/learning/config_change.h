// SPDX-License-Identifier: Apache-2.0
// What an edit of an experiment's config changed, for the audit log.
#ifndef BANDIT_ROUTER_LEARNING_CONFIG_CHANGE_H_
#define BANDIT_ROUTER_LEARNING_CONFIG_CHANGE_H_

#include <string>
#include <string_view>

#include "bandit/v1/config.pb.h"

namespace bandit::learning {

// Equal configs give equal bytes, within a build.
std::string Serialize(const v1::ExperimentConfig& config);

// "policy.floor: 0.01 -> 0.02; added: arms[2]: ...", cut after 1,000 bytes.
// Both are Serialize's.
std::string DescribeChange(std::string_view before, std::string_view after);

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_CONFIG_CHANGE_H_
