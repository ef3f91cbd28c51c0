// SPDX-License-Identifier: Apache-2.0
#include "router/http2/loop.h"

#include <chrono>
#include <utility>

#include "asio/post.hpp"

namespace bandit::http2 {
namespace {

constexpr uint32_t kLeastRoom = 16384;

int64_t SteadyNow() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Loop::Loop() : Loop(&SteadyNow) {}

Loop::Loop(Clock clock) : clock_(std::move(clock)), now_(clock_()) {}

void Loop::FlushLater(std::shared_ptr<Flushable> flushable) {
  if (dirty_.empty()) {
    // Before the first of these runs, Asio has looked for events once more, and
    // what it found stands between the two: it goes out with the rest. Writes
    // are the dearest part of a request.
    asio::post(io_, [this] { asio::post(io_, [this] { FlushAll(); }); });
  }
  dirty_.push_back(std::move(flushable));
}

void Loop::FlushAll() {
  // A flush may make another session dirty: that one is flushed in the next
  // cycle, after the events that came meanwhile.
  flushing_.swap(dirty_);
  for (const auto& flushable : flushing_) flushable->Flush();
  flushing_.clear();
}

// Here alone a block may begin anew: while bytes are handled, the last slice of
// an earlier read may go, but what is being read lies behind it.
BlockRef& Loop::BeginReading() {
  if (read_block_ && read_block_->references == 1) read_block_->used = 0;
  if (!read_block_ || read_block_->capacity - read_block_->used < kLeastRoom) {
    read_block_ = pool_.Allocate(BlockPool::kLarge);
  }
  return read_block_;
}

void Loop::DoneReading(size_t size) {
  if (read_block_->references > 1) {
    read_block_->used += static_cast<uint32_t>(size);
  }
}

}  // namespace bandit::http2
