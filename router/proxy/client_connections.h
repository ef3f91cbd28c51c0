// SPDX-License-Identifier: Apache-2.0
// The clients' connections of one worker: bounded in number, counted by how
// they end.
#ifndef BANDIT_ROUTER_PROXY_CLIENT_CONNECTIONS_H_
#define BANDIT_ROUTER_PROXY_CLIENT_CONNECTIONS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "bandit/v1/config.pb.h"
#include "router/http2/close_reason.h"
#include "router/http2/loop.h"
#include "router/http2/session.h"
#include "router/learning/connection_counts.h"

namespace bandit::proxy {

// What the config says of client connections, for the session.
http2::SessionOptions ClientSessionOptions(const v1::LimitsConfig& limits);

// Thread-safety: none, lives on its loop; `open` is shared by all workers.
class ClientConnections {
 public:
  using OnStream = std::function<http2::Stream*(http2::Session&, int32_t)>;

  // `open` counts the connections of all workers together; nothing hangs on it
  // but a limit, so it is read and written relaxed. `on_gone` is called when
  // the last connection has ended.
  ClientConnections(http2::Loop& loop, std::atomic<uint32_t>* open,
                    OnStream on_stream, std::function<void()> on_gone);
  ~ClientConnections();
  ClientConnections(const ClientConnections&) = delete;
  ClientConnections& operator=(const ClientConnections&) = delete;

  // Serves `transport`, or closes it if there are limits.max_connections.
  void Add(std::unique_ptr<http2::Transport> transport,
           const v1::LimitsConfig& limits);
  void Drain();
  void CloseAll(const std::string& why);

  size_t size() const { return sessions_.size(); }
  // What was counted since the last call.
  learning::ConnectionCounts TakeCounts();

 private:
  void Count(http2::CloseReason reason, const std::string& peer,
             const std::string& why);
  // One line a second for each reason, so that an attack does not fill the log.
  void Log(http2::CloseReason reason, const std::string& peer,
           const std::string& why);

  struct LogState {
    int64_t next_ns = 0;  // No line before this.
    uint64_t held_back = 0;
  };

  http2::Loop& loop_;
  std::atomic<uint32_t>* const open_;
  const OnStream on_stream_;
  const std::function<void()> on_gone_;
  std::set<std::shared_ptr<http2::Session>> sessions_;
  learning::ConnectionCounts counts_;
  std::array<LogState, http2::kCloseReasons> log_{};
};

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_CLIENT_CONNECTIONS_H_
