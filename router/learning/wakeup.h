// SPDX-License-Identifier: Apache-2.0
// Wakes one waiting thread; rings while it is busy are not lost.
//
// Not an absl::CondVar, because that one waits by the time of day: a clock set
// back would stop the learner for as long.
#ifndef BANDIT_ROUTER_LEARNING_WAKEUP_H_
#define BANDIT_ROUTER_LEARNING_WAKEUP_H_

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace bandit::learning {

// Thread-safety: any thread may ring, one waits.
class Wakeup {
 public:
  using Clock = std::chrono::steady_clock;

  void Ring() {
    {
      const std::lock_guard lock(mutex_);
      if (rung_) return;
      rung_ = true;
    }
    bell_.notify_one();
  }

  // Returns once rung since the last Wait, or at the deadline.
  void Wait(Clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    bell_.wait_until(lock, deadline, [this] { return rung_; });
    rung_ = false;
  }

 private:
  std::mutex mutex_;  // Protects rung_.
  std::condition_variable bell_;
  bool rung_ = false;
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_WAKEUP_H_
