// SPDX-License-Identifier: Apache-2.0
// One worker's connections to one address.
//
// A connection counts once the peer has sent its SETTINGS: that the kernel took
// it says nothing about the process behind. Until then requests wait in it, and
// none of them has been sent. One connection is kept, made again when it is
// lost, after a growing back-off when that fails; more are made while the
// peer's MAX_CONCURRENT_STREAMS is used up.
#ifndef BANDIT_ROUTER_UPSTREAM_CONNECTION_POOL_H_
#define BANDIT_ROUTER_UPSTREAM_CONNECTION_POOL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "router/http2/session.h"
#include "router/tls/credentials.h"
#include "router/upstream/address.h"

namespace bandit::upstream {

struct PoolOptions {
  size_t max_connections = 4;
  // From the first attempt to the peer's SETTINGS.
  absl::Duration connect_timeout = absl::Seconds(5);
  // A connection that no request used for this long is closed. Zero: never.
  absl::Duration idle_timeout;
  http2::SessionOptions session;
  std::shared_ptr<const tls::BackendCredentials> tls;  // Null: cleartext.
};

// Thread-safety: none, lives on its loop.   Cost: Take looks at each connection
// of the pool, and allocates only to make one.
// Ownership: borrows the loop, the options and the random source.
class ConnectionPool {
 public:
  // What the owner is told.
  struct Events {
    std::function<void()> on_change;  // Of what the accessors say.
    std::function<void(const std::string& why)> on_error;
  };

  ConnectionPool(http2::Loop& loop, Address address, const PoolOptions& options,
                 std::mt19937_64& random, Events events);
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // A connection for one more request: one with room, else a new one, else the
  // one with the fewest requests. Null unless connected().
  http2::Session* Take();
  // The same when nothing is connected: the one that is being made, or a new
  // one. Null in the first part of a back-off: as long as the attempt took that
  // failed, at least the first back-off. After that a request may find out
  // whether the peer is back; a dead one costs it at most half of the time.
  http2::Session* TakeUnconnected();

  // Whether a request can be sent at once.
  bool connected() const { return Find(&Connection::Usable) != nullptr; }
  // Attempts that failed since a connection last came about. While there are
  // any and none is connected, the pool is in back-off.
  int failures() const { return failures_; }
  // Nothing is there, and nothing will be until someone asks.
  bool asleep() const { return connections_.empty() && !wanted_; }
  size_t size() const { return connections_.size(); }

  // From now on a connection is kept.
  void Wake() { wanted_ = true; }
  // Makes the connection that is missing, closes what is not settled in time or
  // not used any more; when there is something to do again, or kNever.
  int64_t Tick(int64_t now_ns);

  // Makes no more connections; requests under way finish.
  void Drain();

  static constexpr int64_t kNever = INT64_MAX;

 private:
  struct Connection {
    std::shared_ptr<http2::Session> session;
    int64_t opened_ns = 0;
    int64_t used_ns = 0;
    bool failed = false;  // It has been counted as a failure.

    bool alive() const { return !session->dead() && !session->draining(); }
    static bool Usable(const Connection& c) {
      return c.alive() && c.session->started() && c.session->settled();
    }
    static bool Waiting(const Connection& c) {
      return c.alive() && !(c.session->started() && c.session->settled());
    }
  };

  const Connection* Find(bool (*fits)(const Connection&)) const;
  http2::Session* Open();
  void OnConnected(http2::Session& session,
                   std::unique_ptr<http2::Transport> transport,
                   const std::string& error);
  void OnSettings(http2::Session& session);
  void OnDead(http2::Session& session, const std::string& why);
  // Before the streams are told, so that none of them comes back here.
  void NoteFailure(const http2::Session& session, const std::string& why);
  // Closes what is due; else lowers `next`.
  void CloseUnsettled(int64_t now_ns, int64_t* next);
  void CloseIdle(int64_t now_ns, int64_t* next);

  http2::Loop& loop_;
  const Address address_;
  const PoolOptions& options_;
  std::mt19937_64& random_;
  Events events_;
  std::vector<Connection> connections_;
  int failures_ = 0;
  int64_t retry_at_ns_ = 0;   // End of the back-off,
  int64_t demand_at_ns_ = 0;  // and of its part in which requests must wait.
  int64_t opened_at_ns_ = 0;  // The last attempt's begin.
  // What the peer took at a time when last asked: what a connection that is
  // being made is given.
  uint32_t peer_streams_ = UINT32_MAX;
  bool wanted_ = false;
  bool draining_ = false;
  // Handlers of connection attempts outlive this object; they look here first.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace bandit::upstream

#endif  // BANDIT_ROUTER_UPSTREAM_CONNECTION_POOL_H_
