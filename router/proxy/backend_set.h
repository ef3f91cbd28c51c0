// SPDX-License-Identifier: Apache-2.0
// The backends of a plan, as one worker has them.
#ifndef BANDIT_ROUTER_PROXY_BACKEND_SET_H_
#define BANDIT_ROUTER_PROXY_BACKEND_SET_H_

#include <memory>
#include <random>
#include <vector>

#include "router/experiment/plan.h"
#include "router/http2/loop.h"
#include "router/tls/credentials.h"
#include "router/upstream/backend.h"

namespace bandit::proxy {

// Towards backends: what a client may send must be let through; the times are
// the backend's own.
http2::SessionOptions SessionOptionsOf(const v1::LimitsConfig& limits);

// A plan and its backends, in its order.
struct BackendSet {
  const experiment::Plan* plan = nullptr;
  const std::vector<std::shared_ptr<upstream::Backend>>* backends = nullptr;
};

// The backends of `plan`. One that `before` has with the same config is the
// same object: a reload neither drops its connections nor forgets its health.
// `circuits` may be null: then nothing is bounded. `credentials` may be null if
// no backend has TLS.
std::vector<std::shared_ptr<upstream::Backend>> MakeBackends(
    http2::Loop& loop, const experiment::Plan& plan, const BackendSet& before,
    upstream::Circuits* circuits, tls::Credentials* credentials,
    std::mt19937_64& random);

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_BACKEND_SET_H_
