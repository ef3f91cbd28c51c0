// SPDX-License-Identifier: Apache-2.0
// What a request's metadata must be for an experiment to take it, beyond exact
// values.
#ifndef BANDIT_ROUTER_EXPERIMENT_CONDITION_H_
#define BANDIT_ROUTER_EXPERIMENT_CONDITION_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bandit/v1/config.pb.h"
#include "router/http2/header.h"

namespace bandit::experiment {

// Thread-safety: const calls may overlap.   Cost: no allocation.
class Condition {
 public:
  explicit Condition(const v1::ConditionConfig& config);

  // All that is asked for holds. Of a key that is given several times, one
  // value must be what is asked for, and none what must not be. Of one that is
  // not given, `not_in` alone holds.
  bool Holds(http2::Headers headers) const;
  // In words for people: what is asked for, and what the request has instead.
  // REQUIRES: it does not hold.
  std::string Unmet(http2::Headers headers) const;

 private:
  bool Fits(std::string_view value) const;

  std::string key_;
  std::vector<std::string> in_, not_in_;
  std::string prefix_;
  std::optional<double> min_, max_;
  std::optional<bool> present_;
  bool asks_value_;  // For a value that fits.
};

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_CONDITION_H_
