// SPDX-License-Identifier: Apache-2.0
// yaml-cpp's complaints in words that say what to mend.
//
// Its own messages speak of tokens ("end of map not found"), and some repeat
// what stands in the file, which may be a secret; these never do.
#ifndef BANDIT_ROUTER_CONFIG_YAML_ERROR_H_
#define BANDIT_ROUTER_CONFIG_YAML_ERROR_H_

#include <string>
#include <string_view>

#include "router/config/source_text.h"

namespace bandit::config {

struct YamlError {
  int line;
  std::string message;  // "what is wrong, what was expected"
};

// `message` as yaml-cpp gives it for `line` (from 1).
YamlError Explain(const Lines& lines, int line, std::string_view message);

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_YAML_ERROR_H_
