// SPDX-License-Identifier: Apache-2.0
// One thread of the data plane: its own event loop, listening socket,
// connections, snapshot and statistics. Workers share nothing.
#ifndef BANDIT_ROUTER_PROXY_WORKER_H_
#define BANDIT_ROUTER_PROXY_WORKER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "asio/executor_work_guard.hpp"
#include "router/experiment/token.h"
#include "router/learning/worker_port.h"
#include "router/proxy/backend_reporter.h"
#include "router/proxy/client_connections.h"
#include "router/proxy/listener.h"
#include "router/proxy/worker_state.h"
#include "router/tls/credentials.h"

namespace bandit::proxy {

struct WorkerOptions {
  upstream::Address listen;
  // The control plane's socket; empty: no control services on the data port.
  std::string control_socket;
  const experiment::TokenSigner* signer = nullptr;  // Borrowed.
  tls::Credentials* credentials = nullptr;          // Borrowed.
  // Of all workers; borrowed. Null: backends' max_requests bound nothing.
  upstream::Circuits* circuits = nullptr;
  // Of the draws.
  uint64_t seed = 0;
  // Client connections that all workers have open. Borrowed.
  std::atomic<uint32_t>* connections = nullptr;
  std::function<int64_t()> unix_ms;
  // Where finished calls are handed in to be written down; null: nowhere.
  observe::Tap* tap = nullptr;  // Borrowed.
  // Of all workers together. Borrowed.
  Admission::Shared* admission = nullptr;
  size_t workers = 1;
};

// Thread-safety: Publish, Harvest, Drain and Stop from any thread; the rest
// before Start.
class Worker : public learning::WorkerPort {
 public:
  explicit Worker(WorkerOptions options);
  ~Worker() override;

  // Binds the listening socket; fails as Listener::Bind does.
  absl::Status Bind();
  // As bound, so that further workers can take the same port.
  upstream::Address address() const { return listener_->address(); }

  // Whether a backend that requests go to could be reached lately. Any thread.
  bool reachable() const { return reachable_; }

  // Starts the thread. REQUIRES: bound, and a snapshot published.
  void Start();
  // Takes no new connections and requests, finishes those under way, at most
  // `grace`; then the thread ends.
  void Drain(absl::Duration grace);
  // Waits for the thread's end.
  void Join();

  void Publish(std::shared_ptr<const learning::Snapshot> snapshot) override;
  void Harvest(std::function<void(Deltas)> done) override;

 private:
  void Adopt(std::shared_ptr<const learning::Snapshot> snapshot);
  Deltas TakeCounts();
  // On the loop's thread, or after it has ended.
  void AnswerHarvests();
  void NoteReachable();
  void MakeGeneration(std::shared_ptr<const learning::Snapshot> snapshot);
  std::unique_ptr<http2::Transport> NewTransport(
      http2::Transport::Socket socket);
  void OnHandshakeFailed(const std::string& peer, const std::string& problem);
  void Accept(std::unique_ptr<http2::Transport> transport);
  void BeginDrain(absl::Duration grace);
  void StopIfDrained();
  void Stop();

  WorkerOptions options_;
  WorkerState state_;
  BackendReporter backend_reporter_;
  std::unique_ptr<Listener> listener_;
  ClientConnections clients_;
  asio::steady_timer grace_timer_;
  asio::steady_timer::time_point grace_end_ =
      asio::steady_timer::time_point::max();
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  // When a failed handshake was last logged; those since then.
  int64_t handshake_logged_ns_ = 0;
  uint64_t handshakes_unlogged_ = 0;
  bool draining_ = false;
  bool stopped_ = false;
  std::atomic<bool> reachable_ = false;
  // The loop may end before what was posted to it has run; a question must be
  // answered all the same, or the last counts are lost.
  absl::Mutex harvest_mutex_;
  std::vector<std::function<void(Deltas)>> harvests_
      ABSL_GUARDED_BY(harvest_mutex_);
  // The thread has ended: what it counted last is there for the asking.
  bool joined_ ABSL_GUARDED_BY(harvest_mutex_) = false;
  std::thread thread_;
};

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_WORKER_H_
