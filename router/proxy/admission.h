// SPDX-License-Identifier: Apache-2.0
// How many requests are served at a time: limits.max_requests and the queue
// before it.
#ifndef BANDIT_ROUTER_PROXY_ADMISSION_H_
#define BANDIT_ROUTER_PROXY_ADMISSION_H_

#include <atomic>
#include <cstdint>

#include "router/http2/loop.h"
#include "router/http2/timer_wheel.h"

namespace bandit::proxy {

// One worker's door. Each worker serves its own queue, first come first
// served; the numbers are those of all workers together.
// Thread-safety: none, lives on its loop.
class Admission {
 public:
  // What workers share. Relaxed: the counts bound, they guard no data, and a
  // worker that reads a stale one comes one request early or late.
  struct Shared {
    std::atomic<uint32_t> running = 0;
    std::atomic<uint32_t> waiting = 0;
  };

  // A request at the door, or behind it.
  // Ownership: alive from Enter to Leave.
  class Waiter {
   public:
    virtual ~Waiter() = default;
    // Its turn has come.
    virtual void OnAdmitted() = 0;
    bool waiting() const { return waiting_; }

   private:
    friend class Admission;
    Waiter* previous_ = nullptr;
    Waiter* next_ = nullptr;
    bool waiting_ = false;
    bool counted_ = false;  // In Shared::running.
  };

  enum class Verdict { kAdmitted, kWaits, kFull };

  // Ownership: borrows both.
  Admission(http2::Loop& loop, Shared& shared);
  ~Admission();
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // At most `max_requests` run (0: no bound), at most `queue` wait.
  void Configure(uint32_t max_requests, uint32_t queue);

  Verdict Enter(Waiter& waiter);
  // The request has ended, or waits no longer; whose turn it is goes on.
  void Leave(Waiter& waiter);

 private:
  // Another worker may have made room.
  class Poll : public http2::TimerWheel::Timer {
   public:
    explicit Poll(Admission& admission) : admission_(admission) {}
    void OnExpired() override { admission_.AdmitNext(); }

   private:
    Admission& admission_;
  };

  bool TakePlace(Waiter& waiter);
  void Unlink(Waiter& waiter);
  void AdmitNext();

  http2::Loop& loop_;
  Shared& shared_;
  Poll poll_{*this};
  uint32_t max_requests_ = 0;
  uint32_t queue_ = 0;
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_ADMISSION_H_
