// SPDX-License-Identifier: Apache-2.0
// What the sessions of one worker share: the event loop, the clock, deadlines,
// the block pool and the list of sessions that have something to write.
#ifndef BANDIT_ROUTER_HTTP2_LOOP_H_
#define BANDIT_ROUTER_HTTP2_LOOP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "asio/io_context.hpp"
#include "router/http2/block.h"
#include "router/http2/timer_wheel.h"

namespace bandit::http2 {

// Something that writes at the end of a cycle.
class Flushable {
 public:
  virtual ~Flushable() = default;
  virtual void Flush() = 0;
};

// Thread-safety: none, one per worker.
class Loop {
 public:
  // Monotonic nanoseconds.
  using Clock = std::function<int64_t()>;

  Loop();
  explicit Loop(Clock clock);

  asio::io_context& io() { return io_; }
  BlockPool& pool() { return pool_; }
  TimerWheel& wheel() { return wheel_; }

  // The time as of the last UpdateTime: one reading serves a whole batch of
  // frames.
  int64_t now() const { return now_; }
  int64_t UpdateTime() { return now_ = clock_(); }

  // Calls `flushable->Flush()` once when the events that are ready now, and
  // those that come while they are handled, have been handled: what they caused
  // goes out in one write.
  void FlushLater(std::shared_ptr<Flushable> flushable);

  // Where a socket may be read into: a block with at least 16 KiB of room
  // after `used`. Give it back with DoneReading.
  BlockRef& BeginReading();
  // The same block, while what was read is handled.
  const BlockRef& read_block() const { return read_block_; }
  // `size` bytes were read; they stay if a slice refers to them.
  void DoneReading(size_t size);

 private:
  void FlushAll();

  // Destroyed last: sessions held by handlers release blocks.
  BlockPool pool_;
  Clock clock_;
  int64_t now_ = 0;
  BlockRef read_block_;
  std::vector<std::shared_ptr<Flushable>> dirty_;
  std::vector<std::shared_ptr<Flushable>> flushing_;
  asio::io_context io_{1};
  TimerWheel wheel_{*this, io_};
};

}  // namespace bandit::http2

#endif  // BANDIT_ROUTER_HTTP2_LOOP_H_
