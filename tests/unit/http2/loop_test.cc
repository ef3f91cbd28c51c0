// SPDX-License-Identifier: Apache-2.0
#include "router/http2/loop.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <system_error>
#include <utility>

#include "asio/buffer.hpp"
#include "asio/local/connect_pair.hpp"
#include "asio/local/stream_protocol.hpp"
#include "asio/post.hpp"
#include "asio/write.hpp"

namespace bandit::http2 {
namespace {

class Counter : public Flushable {
 public:
  void Flush() override { ++flushes; }
  int flushes = 0;
};

TEST(LoopTest, FlushesOnceAfterTheEventsThatAreReady) {
  Loop loop;
  auto counter = std::make_shared<Counter>();
  int flushes_seen_by_second_event = -1;
  asio::post(loop.io(), [&] { loop.FlushLater(counter); });
  asio::post(loop.io(),
             [&] { flushes_seen_by_second_event = counter->flushes; });
  loop.io().run();
  EXPECT_EQ(flushes_seen_by_second_event, 0);
  EXPECT_EQ(counter->flushes, 1);
}

// A socket that is ready again whenever it was read, and what its handler does.
class Rattle {
 public:
  explicit Rattle(Loop& loop, std::function<void()> handler)
      : here_(loop.io()), there_(loop.io()), handler_(std::move(handler)) {
    asio::local::connect_pair(here_, there_);
  }
  void Begin() {
    asio::write(there_, asio::buffer("x", 1));
    here_.async_wait(asio::socket_base::wait_read,
                     [this](std::error_code) { handler_(); });
  }

 private:
  asio::local::stream_protocol::socket here_, there_;
  std::function<void()> handler_;
};

TEST(LoopTest, WhatComesMeanwhileGoesOutInTheSameFlush) {
  Loop loop;
  auto counter = std::make_shared<Counter>();
  int flushes_seen = -1;
  Rattle rattle(loop, [&] { flushes_seen = counter->flushes; });
  asio::post(loop.io(), [&] {
    loop.FlushLater(counter);
    rattle.Begin();
  });
  loop.io().run();
  EXPECT_EQ(flushes_seen, 0);
  EXPECT_EQ(counter->flushes, 1);
}

TEST(LoopTest, EventsWithoutEndDoNotKeepAFlushBack) {
  Loop loop;
  auto counter = std::make_shared<Counter>();
  int before = 0;
  std::unique_ptr<Rattle> rattle;
  rattle = std::make_unique<Rattle>(loop, [&] {
    if (counter->flushes > 0 || ++before == 100) return;
    rattle->Begin();
  });
  asio::post(loop.io(), [&] {
    loop.FlushLater(counter);
    rattle->Begin();
  });
  loop.io().run();
  EXPECT_EQ(counter->flushes, 1);
  EXPECT_LE(before, 2);
}

TEST(LoopTest, TheReadBlockIsUsedAgainWhenNobodyHoldsIt) {
  Loop loop;
  Block* const first = loop.BeginReading().get();
  loop.DoneReading(1000);
  EXPECT_EQ(loop.BeginReading().get(), first);
  EXPECT_EQ(loop.BeginReading()->used, 0u);
}

TEST(LoopTest, BytesThatASliceHoldsAreNotOverwritten) {
  Loop loop;
  const BlockRef held = loop.BeginReading();
  loop.DoneReading(1000);
  EXPECT_EQ(loop.BeginReading()->used, 1000u);
  loop.DoneReading(held->capacity - 1000 - 100);
  // Too little room is left: a new block.
  EXPECT_NE(loop.BeginReading().get(), held.get());
}

// The last slice of the first read is dropped by what the second one brings.
TEST(LoopTest, BytesReadBehindASliceThatGoesMeanwhileAreNotOverwritten) {
  Loop loop;
  BlockRef first = loop.BeginReading();
  loop.DoneReading(1000);
  ASSERT_EQ(loop.BeginReading()->used, 1000u);
  first = BlockRef();
  const BlockRef second = loop.read_block();
  loop.DoneReading(500);
  EXPECT_EQ(loop.BeginReading()->used, 1500u);
}

TEST(LoopTest, TimeStandsStillUntilUpdated) {
  int64_t clock = 5;
  Loop loop([&] { return clock; });
  clock = 7;
  EXPECT_EQ(loop.now(), 5);
  EXPECT_EQ(loop.UpdateTime(), 7);
  EXPECT_EQ(loop.now(), 7);
}

}  // namespace
}  // namespace bandit::http2
