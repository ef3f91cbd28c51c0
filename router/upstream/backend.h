// SPDX-License-Identifier: Apache-2.0
// One worker's connections to one backend.
//
// Each worker has its own, so a request takes a connection without a lock.
// Connections are kept open, made again after a growing back-off, and more are
// opened while the peer's MAX_CONCURRENT_STREAMS is used up.
#ifndef BANDIT_ROUTER_UPSTREAM_BACKEND_H_
#define BANDIT_ROUTER_UPSTREAM_BACKEND_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "router/http2/session.h"
#include "router/upstream/address.h"

namespace bandit::upstream {

struct BackendOptions {
  std::string name;
  std::vector<Address> addresses;
  absl::Duration connect_timeout = absl::Seconds(5);
  http2::SessionOptions session;
};

// Thread-safety: none, lives on its loop.
class Backend {
 public:
  struct Endpoint;

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

  Backend(http2::Loop& loop, BackendOptions options);
  ~Backend();
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  const std::string& name() const { return options_.name; }

  // A session for one more request: connected, or being connected (the request
  // waits in it, at most connect_timeout). None if every address is in
  // back-off; last_error() says why. `avoid`: an endpoint that is taken only if
  // there is no other.
  Lease Acquire(const Endpoint* avoid = nullptr);
  void Release(const Lease& lease, Outcome outcome);

  // In words, for a lease that is none.
  std::string WhyNone(const Lease& lease) const;

  // Whether a request may be sent here with a chance of success.
  bool available() const;

  // Opens a connection to each address, so that the first request need not
  // wait.
  void Warm();

  // Requests under way finish, then connections close.
  void Drain();

  // "127.0.0.1:8001: Connection refused"; empty if none failed yet.
  const std::string& last_error() const { return last_error_; }
  // Whether a connection is up.
  bool connected() const;

 private:
  http2::Session* AcquireAt(Endpoint& endpoint);
  std::shared_ptr<http2::Session> Open(Endpoint& endpoint);
  void OnConnected(Endpoint& endpoint, http2::Session& session,
                   std::unique_ptr<http2::Transport> transport,
                   const std::string& error);
  void OnDead(Endpoint& endpoint, http2::Session& session);

  http2::Loop& loop_;
  BackendOptions options_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  size_t next_ = 0;  // Round robin.
  std::string last_error_;
  bool draining_ = false;
  // Handlers of connection attempts outlive this object; they look here first.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

struct Backend::Endpoint {
  Address address;
  std::string name;
  std::vector<std::shared_ptr<http2::Session>> sessions;
  int failures = 0;         // In a row.
  int64_t retry_at_ns = 0;  // Loop time before which no attempt is made.
};

}  // namespace bandit::upstream

#endif  // BANDIT_ROUTER_UPSTREAM_BACKEND_H_
