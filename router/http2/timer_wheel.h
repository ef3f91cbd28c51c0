// SPDX-License-Identifier: Apache-2.0
// Deadlines of many requests and connections, cheap to set and to take back.
//
// A request's deadline is nearly always cancelled, so both operations are a
// list link in a hashed wheel (Varghese and Lauck, 1987, scheme 6), and a
// deadline may come up to one tick late. The wheel sleeps through slots that
// are empty, so that an idle router has nothing to wake up for.
#ifndef BANDIT_ROUTER_HTTP2_TIMER_WHEEL_H_
#define BANDIT_ROUTER_HTTP2_TIMER_WHEEL_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "asio/io_context.hpp"
#include "asio/steady_timer.hpp"

namespace bandit::http2 {

class Loop;

// Thread-safety: none, one per loop, which owns it.
class TimerWheel {
 public:
  static constexpr int64_t kTickNs = 10'000'000;

  // To be embedded in what expires. Ownership: unset before it is destroyed,
  // unless the wheel went first.
  class Timer {
   public:
    virtual ~Timer() = default;
    // The deadline has passed; the timer is no longer set.
    virtual void OnExpired() = 0;
    bool set() const { return wheel_ != nullptr; }

   private:
    friend class TimerWheel;
    TimerWheel* wheel_ = nullptr;
    Timer* previous_ = nullptr;
    Timer* next_ = nullptr;
    int64_t tick_ = 0;
  };

  TimerWheel(Loop& loop, asio::io_context& io);
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Replaces the timer's deadline. `at_ns` is loop time.
  void Set(Timer& timer, int64_t at_ns);
  void Unset(Timer& timer);

  size_t size() const { return size_; }

  // Expires all that is due at loop.now(). Called by the wheel's own timer;
  // public so that a test can drive time.
  void Advance();

 private:
  static constexpr size_t kSlots = 512;
  static constexpr int64_t kNotArmed = INT64_MAX;

  // Sleeps until `tick` at the latest.
  void Arm(int64_t tick);
  // The next tick that may have something to expire.
  int64_t NextTick() const;
  void ExpireSlot(size_t slot, int64_t tick);

  Loop& loop_;
  asio::steady_timer timer_;
  std::array<Timer*, kSlots> slots_{};
  size_t size_ = 0;
  int64_t tick_ = 0;  // All ticks up to this one have expired.
  int64_t armed_ = kNotArmed;
};

}  // namespace bandit::http2

#endif  // BANDIT_ROUTER_HTTP2_TIMER_WHEEL_H_
