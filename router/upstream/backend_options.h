// SPDX-License-Identifier: Apache-2.0
// What a backend is to be, as the config says.
#ifndef BANDIT_ROUTER_UPSTREAM_BACKEND_OPTIONS_H_
#define BANDIT_ROUTER_UPSTREAM_BACKEND_OPTIONS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bandit/v1/config.pb.h"
#include "router/upstream/address.h"
#include "router/upstream/balancer.h"
#include "router/upstream/circuit.h"
#include "router/upstream/connection_pool.h"
#include "router/upstream/health_check.h"
#include "router/upstream/outlier.h"
#include "router/upstream/resolver.h"

namespace bandit::upstream {

struct BackendOptions {
  std::string name;
  std::vector<Address> addresses;
  PoolOptions pool;
  Balancing balancing = Balancing::kLeastRequest;
  int64_t slow_start_ns = 0;
  int64_t resolve_every_ns = 30'000'000'000;
  OutlierOptions outliers;
  std::optional<HealthCheckOptions> health_check;
  std::shared_ptr<Circuit> circuit;  // Null: no bound.
  Resolver resolver;                 // Empty: the system's.
  uint64_t seed = 0;                 // Of its random choices.
};

// REQUIRES: `config` has every field and passed validation. Leaves `circuit`,
// `resolver` and `seed` as they are by default.
BackendOptions OptionsOf(const std::string& name,
                         const v1::BackendConfig& config,
                         const http2::SessionOptions& session);

}  // namespace bandit::upstream

#endif  // BANDIT_ROUTER_UPSTREAM_BACKEND_OPTIONS_H_
