// SPDX-License-Identifier: Apache-2.0
// A config in words: the line that `--check` prints, the whole config with its
// defaults as YAML, and what a reload cannot change. None shows a secret.
#ifndef BANDIT_ROUTER_CONFIG_DESCRIBE_H_
#define BANDIT_ROUTER_CONFIG_DESCRIBE_H_

#include <string>
#include <vector>

#include "bandit/v1/config.pb.h"

namespace bandit::config {

// "ok, 2 experiments, 3 backends"
std::string Summary(const v1::RouterConfig& config);

// `config` with every secret, and the user and password in `state`, replaced
// by "***"; an empty secret stays empty.
v1::RouterConfig WithoutSecrets(v1::RouterConfig config);

// The config as YAML, every default written out. Loading it gives the same
// config but for the secrets, which are left out as by WithoutSecrets.
// Determinism: equal configs give equal text.
std::string ToYaml(const v1::RouterConfig& config);

// The fields of the top level that differ and take effect only after a
// restart, in the schema's order: what a reload must say that it did not do.
std::vector<std::string> NeedRestart(const v1::RouterConfig& running,
                                     const v1::RouterConfig& loaded);

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_DESCRIBE_H_
