// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/force.h"

#include <algorithm>

namespace bandit::experiment {
namespace {

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// What `item` names for the experiment; empty: nothing.
std::string_view ArmIn(const Experiment& experiment, std::string_view item) {
  const size_t slash = item.find('/');
  if (slash == item.npos) return experiment.overlay ? "" : item;
  return item.substr(0, slash) == experiment.name ? item.substr(slash + 1) : "";
}

}  // namespace

std::optional<ForcedArm> FindForced(const Experiment& experiment,
                                    http2::Headers headers) {
  if (experiment.force_key.empty()) return std::nullopt;
  std::string_view rest = http2::Find(headers, experiment.force_key);
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(item.size() + 1, rest.size()));
    const std::string_view name = ArmIn(experiment, Trimmed(item));
    if (name.empty()) continue;
    ForcedArm forced{.name = name, .arm = std::nullopt};
    for (size_t a = 0; a < experiment.arms.size(); ++a) {
      if (experiment.arms[a].name == name) forced.arm = a;
    }
    return forced;
  }
  return std::nullopt;
}

}  // namespace bandit::experiment
