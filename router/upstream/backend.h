// SPDX-License-Identifier: Apache-2.0
// One worker's view of one backend: its endpoints, and which of them takes the
// next request.
//
// Each worker has its own, so a request takes a connection without a lock, and
// learns of an endpoint's health by itself.
#ifndef BANDIT_ROUTER_UPSTREAM_BACKEND_H_
#define BANDIT_ROUTER_UPSTREAM_BACKEND_H_

#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "asio/steady_timer.hpp"
#include "router/http2/session.h"
#include "router/upstream/backend_options.h"
#include "router/upstream/balancer.h"
#include "router/upstream/endpoint.h"
#include "router/upstream/names.h"

namespace bandit::upstream {

// Thread-safety: none, lives on its loop.
// Cost: Acquire and Release look at one or two endpoints and allocate nothing,
// while some endpoint is ready.
class Backend {
 public:
  using Endpoint = upstream::Endpoint;

  // Why a request gets no place.
  enum class Refusal {
    kNoEndpoint,   // None is known, or none can be connected to at present.
    kCircuitOpen,  // max_requests are under way.
  };

  // A place for one request. Ends with Release.
  struct Lease {
    http2::Session* session = nullptr;       // Null: there is none.
    Endpoint* endpoint = nullptr;            // Alive until Release.
    Refusal refusal = Refusal::kNoEndpoint;  // Where there is none.

    explicit operator bool() const { return session != nullptr; }
  };

  // How a request went, as far as its endpoint is to blame.
  enum class Outcome {
    kAnswered,   // With whatever status of its own.
    kFailed,     // No connection, a broken one, UNAVAILABLE, 502, 503 or 504.
    kAbandoned,  // By the caller or by a deadline: says nothing.
  };

  // Counted since it was made.
  struct Counts {
    uint64_t ejections = 0;
    uint64_t checks_passed = 0;
    uint64_t checks_failed = 0;
    uint64_t circuit_open = 0;
  };
  // As it is now.
  struct Gauges {
    std::array<int64_t, Endpoint::kStates> endpoints{};  // By state.
    int64_t connections = 0;
  };

  Backend(http2::Loop& loop, BackendOptions options);
  ~Backend();
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  const std::string& name() const { return options_.name; }

  // A session for one more request, of an endpoint that is ready. If there is
  // none: of one that is being connected to (the request waits in it, at most
  // connect_timeout); then, as what is wrong with the endpoints may be wrong
  // with the checks, of one that is unhealthy or ejected; then of one in
  // back-off, if its last attempt lies far enough back. None if there is none,
  // or max_requests are under way: WhyNone. `avoid`: an endpoint that is taken
  // only if there is no other.
  Lease Acquire(const Endpoint* avoid = nullptr);
  void Release(const Lease& lease, Outcome outcome);
  // In words, for a lease that is none.
  std::string WhyNone(const Lease& lease) const;

  // Whether a request may be sent here with a chance of success: some endpoint
  // is ready, or is being connected to for the first time.
  bool available() const { return available_; }

  // Looks names up and connects to every endpoint, so that the first request
  // need not wait.
  void Warm();

  // "127.0.0.1:8001: Connection refused"; empty if none failed yet.
  const std::string& last_error() const { return last_error_; }
  // Whether an endpoint is connected.
  bool connected() const;

  const Counts& counts() const { return counts_; }
  Gauges gauges() const;

  // Does what is due at the loop's time. Called by its own timer; public so
  // that a test can drive time.
  void Tick();

 private:
  using Endpoints = std::vector<std::unique_ptr<Endpoint>>;

  Lease Grant(Endpoint& endpoint, http2::Session* session);
  Lease Pick(const Endpoint* avoid);
  Lease PickUnready(const Endpoint* avoid);
  std::unique_ptr<Endpoint> MakeEndpoint(Address address);
  // Takes over what the names stand for.
  void OnNames(const absl::Status& status);
  // Some endpoint's state may have changed.
  void Refresh();
  void OnState(Endpoint& endpoint, Endpoint::State state);
  void Eject(Endpoint& endpoint);
  // Lets Tick be called no later than at `at_ns`.
  void Arm(int64_t at_ns);

  http2::Loop& loop_;
  const BackendOptions options_;
  std::mt19937_64 random_;
  Balancer balancer_;
  Names names_;
  Endpoints endpoints_;
  Endpoints leaving_;         // No name stands for them any more.
  std::vector<Load*> ready_;  // Of endpoints_.
  size_t next_ = 0;           // Of endpoints_, while none is ready.
  size_t asleep_ = 0;         // Endpoints that wait to be asked for.
  bool available_ = true;
  bool warm_ = false;
  Counts counts_;
  std::string last_error_;
  asio::steady_timer timer_;
  int64_t armed_for_ns_ = Names::kNever;
  // Handlers outlive this object; they look here first.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace bandit::upstream

#endif  // BANDIT_ROUTER_UPSTREAM_BACKEND_H_
