// SPDX-License-Identifier: Apache-2.0
// Where connections of the admin port wait for their next request.
//
// cpp-httplib gives a connection a thread for as long as it is open, and
// browsers keep theirs open, some without ever asking. Here a connection gets a
// thread when a whole request of it has come, until it is answered; and probes
// and metrics have threads that no page can take from them.
#ifndef BANDIT_ROUTER_CONTROL_HTTP_LOBBY_H_
#define BANDIT_ROUTER_CONTROL_HTTP_LOBBY_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace bandit::control {

// What has come of a connection's next request.
enum class Arrival {
  kPart,   // Not all of it.
  kProbe,  // All: for /metrics, /healthz or /readyz.
  kPage,   // All, or more than is waited for: for anything else.
};
// `bytes` is what can be read, `room` how many could have been.
Arrival Judge(std::string_view bytes, size_t room);

// Thread-safety: any thread may call.   Ownership: takes the sockets over.
class HttpLobby {
 public:
  struct Options {
    // Reads one request and answers it. Whether the connection stays.
    std::function<bool(int socket)> serve;
    int probe_threads = 2;
    int page_threads = 4;
    // Connections; for one more, the one that has waited longest goes.
    size_t most = 512;
    // From the beginning, or the last answer, to the end of a request.
    absl::Duration patience = absl::Seconds(30);
  };

  explicit HttpLobby(Options options);
  // Finishes requests under way and closes all connections.
  ~HttpLobby();

  void Admit(int socket);

 private:
  void Wait();
  void Serve(std::deque<int>* queue);
  void TakeArrivals();
  // Looks at what has come.
  void Look(int socket, bool hung_up);
  void DropLate();
  void Drop(int socket);
  void Wake();

  const Options options_;
  const int epoll_;
  const int wakeup_;

  // The waiting thread's: connections in the lobby, and since when.
  std::map<int, std::chrono::steady_clock::time_point> guests_;

  absl::Mutex mutex_;
  std::vector<int> arrivals_ ABSL_GUARDED_BY(mutex_);
  std::deque<int> probes_ ABSL_GUARDED_BY(mutex_);
  std::deque<int> pages_ ABSL_GUARDED_BY(mutex_);
  // Connections that are queued or with a serving thread.
  size_t busy_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread waiter_;
  std::vector<std::thread> servers_;
};

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_HTTP_LOBBY_H_
