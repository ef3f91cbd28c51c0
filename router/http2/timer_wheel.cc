// SPDX-License-Identifier: Apache-2.0
#include "router/http2/timer_wheel.h"

#include <algorithm>
#include <chrono>

#include "router/http2/loop.h"

namespace bandit::http2 {

TimerWheel::TimerWheel(Loop& loop, asio::io_context& io)
    : loop_(loop), timer_(io) {}

TimerWheel::~TimerWheel() {
  // What still waits belongs to handlers that the loop drops after this.
  for (Timer* timer : slots_) {
    for (; timer != nullptr; timer = timer->next_) timer->wheel_ = nullptr;
  }
}

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
  if (timer.tick_ < armed_) Arm(timer.tick_);
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

int64_t TimerWheel::NextTick() const {
  int64_t tick = tick_ + 1;
  const int64_t turn = tick_ + static_cast<int64_t>(kSlots);
  while (tick < turn && slots_[static_cast<size_t>(tick) % kSlots] == nullptr) {
    ++tick;
  }
  return tick;
}

void TimerWheel::Arm(int64_t tick) {
  armed_ = tick;
  // Deadlines further away than a turn are passed by until theirs has come.
  const int64_t in_ns = tick * kTickNs - loop_.now();
  timer_.expires_after(std::chrono::nanoseconds(
      std::clamp(in_ns, int64_t{0}, static_cast<int64_t>(kSlots) * kTickNs)));
  timer_.async_wait([this](std::error_code error) {
    if (error) return;
    armed_ = kNotArmed;
    loop_.UpdateTime();
    Advance();
    if (size_ > 0) Arm(std::min(armed_, NextTick()));
  });
}

}  // namespace bandit::http2
