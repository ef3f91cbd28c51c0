// SPDX-License-Identifier: Apache-2.0
// Which experiment takes a request.
#ifndef BANDIT_ROUTER_EXPERIMENT_ROUTE_TABLE_H_
#define BANDIT_ROUTER_EXPERIMENT_ROUTE_TABLE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bandit/v1/config.pb.h"
#include "router/http2/header.h"

namespace bandit::experiment {

// Experiments in config order; the first that matches takes the request.
// Thread-safety: const calls may overlap.
class RouteTable {
 public:
  RouteTable() = default;
  explicit RouteTable(const v1::RouterConfig& config);

  struct Result {
    // The experiment's index; empty: none takes it.
    std::optional<size_t> experiment;
    // The answer depends on the model name, which was not given: call again
    // with it. `experiment` is empty then.
    bool needs_model = false;
  };

  // `headers` are all of the request's, pseudo-headers included. `model` is
  // the message's model name; nullopt: not read yet.
  // Cost: O(candidates of the path * headers), no allocation.
  Result Match(http2::Headers headers,
               std::optional<std::string_view> model) const;

 private:
  struct Rule {
    size_t experiment;
    std::string service, method, authority, model;
    std::vector<std::pair<std::string, std::string>> metadata;
  };
  std::vector<Rule> rules_;
};

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_ROUTE_TABLE_H_
