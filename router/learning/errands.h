// SPDX-License-Identifier: Apache-2.0
// What other threads want done on the learner's thread, in their order.
#ifndef BANDIT_ROUTER_LEARNING_ERRANDS_H_
#define BANDIT_ROUTER_LEARNING_ERRANDS_H_

#include <functional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "router/learning/wakeup.h"

namespace bandit::learning {

// Begins closed: an errand that comes before Open or after Close is run at
// once, by who brings it, and told so.
// Thread-safety: any thread may call Post, Do and open; Open, Close and Run
// are the learner's.   Ownership: borrows `wakeup`.
class Errands {
 public:
  // `open` false: the learner does not run, and nothing of it may be touched.
  using Errand = std::function<void(bool open)>;

  explicit Errands(Wakeup* wakeup) : wakeup_(wakeup) {}

  void Open();
  // What is left is run by the next Run, and told that it is too late.
  void Close();
  bool open() const;

  void Post(Errand errand);

  // Posts the task and blocks until it is done. Fails as the task does, or
  // with Unavailable if the learner does not run.
  absl::Status Do(const std::function<absl::Status()>& task);

  // Runs what was posted. An errand must not wait for another.
  void Run();

 private:
  Wakeup* const wakeup_;
  mutable absl::Mutex mutex_;  // Protects what follows.
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Errand> errands_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_ERRANDS_H_
