// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/timer_wheel.h"

#include <algorithm>
#include <chrono>

namespace bandit::proxy {

TimerWheel::TimerWheel(http2::Loop& loop)
    : loop_(loop), timer_(loop.io()), tick_(loop.now() / kTickNs) {}

void TimerWheel::Set(Timer& timer, int64_t at_ns) {
  if (timer.set()) Unset(timer);
  // An empty wheel has not been turned; without this a long idle time would
  // have to be turned through.
  if (size_ == 0) tick_ = loop_.now() / kTickNs;
  timer.tick_ = std::max(tick_ + 1, at_ns / kTickNs + 1);
  Timer*& head = slots_[static_cast<size_t>(timer.tick_) % kSlots];
  timer.wheel_ = this;
  timer.previous_ = nullptr;
  timer.next_ = head;
  if (head != nullptr) head->previous_ = &timer;
  head = &timer;
  ++size_;
  Arm();
}

void TimerWheel::Unset(Timer& timer) {
  if (!timer.set()) return;
  if (timer.previous_ != nullptr) {
    timer.previous_->next_ = timer.next_;
  } else {
    slots_[static_cast<size_t>(timer.tick_) % kSlots] = timer.next_;
  }
  if (timer.next_ != nullptr) timer.next_->previous_ = timer.previous_;
  timer.wheel_ = nullptr;
  --size_;
}

void TimerWheel::Advance() {
  const int64_t now = loop_.now() / kTickNs;
  // One turn meets every slot, however long the loop was away.
  if (now - tick_ > static_cast<int64_t>(kSlots)) {
    tick_ = now - static_cast<int64_t>(kSlots);
  }
  while (tick_ < now && size_ > 0) {
    ++tick_;
    ExpireSlot(static_cast<size_t>(tick_) % kSlots, now);
  }
}

void TimerWheel::ExpireSlot(size_t slot, int64_t tick) {
  // A handler may set and unset others: look from the head again after each.
  Timer* timer = slots_[slot];
  while (timer != nullptr) {
    if (timer->tick_ <= tick) {
      Unset(*timer);
      timer->OnExpired();
      timer = slots_[slot];
    } else {
      timer = timer->next_;
    }
  }
}

void TimerWheel::Arm() {
  if (armed_) return;
  armed_ = true;
  timer_.expires_after(std::chrono::nanoseconds(kTickNs));
  timer_.async_wait([this](std::error_code error) {
    armed_ = false;
    if (error) return;
    loop_.UpdateTime();
    Advance();
    if (size_ > 0) Arm();
  });
}

}  // namespace bandit::proxy
