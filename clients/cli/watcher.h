// SPDX-License-Identifier: Apache-2.0
// Looks at a router again and again, on a thread of its own: whoever shows what
// it sees waits for keys and signals meanwhile.
#ifndef BANDIT_CLIENTS_CLI_WATCHER_H_
#define BANDIT_CLIENTS_CLI_WATCHER_H_

#include <deque>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "clients/cli/router_call.h"
#include "clients/cli/watch_history.h"

namespace bandit::cli {

// Thread-safety: Take and fd from one thread.
class Watcher {
 public:
  struct Options {
    std::string experiment;  // Empty: all.
    absl::Duration interval = absl::Seconds(2);
    // Whether reports are looked at too; now and then, since they cost the
    // router more than a status does.
    bool reports = false;
  };

  // Begins at once.
  Watcher(RouterAddress router, Options options);
  // Ends a look that is under way.
  ~Watcher();

  // Readable when there is something to take.
  int fd() const { return pipe_[0]; }
  struct Seen {
    Look look;
    Result result;  // As CallRouter gives it.
  };
  // The looks since the last time, the oldest first.
  std::deque<Seen> Take();

 private:
  void Run();
  Seen LookOnce();
  Result Ask(const Call& call);

  const RouterAddress router_;
  const Options options_;
  int pipe_[2] = {-1, -1};
  // The thread's own.
  absl::Time next_reports_ = absl::InfinitePast();

  absl::Mutex mutex_;  // What the two threads share.
  std::deque<Seen> seen_ ABSL_GUARDED_BY(mutex_);
  grpc::ClientContext* under_way_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_WATCHER_H_
