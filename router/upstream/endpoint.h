// SPDX-License-Identifier: Apache-2.0
// One address of a backend: its connections, and whether it is fit to be asked.
#ifndef BANDIT_ROUTER_UPSTREAM_ENDPOINT_H_
#define BANDIT_ROUTER_UPSTREAM_ENDPOINT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "router/upstream/address.h"
#include "router/upstream/backend_options.h"
#include "router/upstream/balancer.h"
#include "router/upstream/connection_pool.h"
#include "router/upstream/health_check.h"
#include "router/upstream/outlier.h"

namespace bandit::upstream {

// Thread-safety: none, lives on its loop.
// Ownership: borrows the loop, the options and the random source.
class Endpoint : public Load {
 public:
  enum class State {
    kReady,       // Connected, and nothing speaks against it.
    kConnecting,  // Not connected; no attempt has failed.
    kBackoff,     // Not connected, the last attempt failed.
    kUnhealthy,   // Its health checks fail.
    kEjected,     // Its requests failed.
  };
  static constexpr size_t kStates = 5;

  struct Events {
    std::function<void()> on_change;  // Of state(), perhaps.
    std::function<void(const std::string& why)> on_error;
    std::function<void(bool ok)> on_check;
  };

  Endpoint(http2::Loop& loop, const BackendOptions& options, Address address,
           std::mt19937_64& random, Events events);

  const Address& address() const { return address_; }
  // "127.0.0.1:8001"
  const std::string& name() const { return name_; }
  State state() const;
  bool healthy() const { return health_ == nullptr || health_->healthy(); }

  ConnectionPool& pool() { return pool_; }
  const ConnectionPool& pool() const { return pool_; }
  Outlier& outlier() { return outlier_; }
  const Outlier& outlier() const { return outlier_; }

  // Does what is due; when there is something to do again.
  int64_t Tick(int64_t now_ns);

  // Its owner's notebook.
  State seen = State::kConnecting;  // The last state that was acted on.
  bool added = false;    // To a backend in use; it has not been ready yet.
  bool leaving = false;  // No name stands for it any more.

 private:
  void OnPoolChange();

  const Address address_;
  const std::string name_;
  Events events_;
  Outlier outlier_;
  // Before the pool: its call is a stream of one of the pool's sessions.
  std::unique_ptr<HealthCheck> health_;
  ConnectionPool pool_;
};

// "ready", "connecting", "backoff", "unhealthy", "ejected".
std::string_view Name(Endpoint::State state);

}  // namespace bandit::upstream

#endif  // BANDIT_ROUTER_UPSTREAM_ENDPOINT_H_
