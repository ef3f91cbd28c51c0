// SPDX-License-Identifier: Apache-2.0
#include "router/http2/loop.h"

#include <gtest/gtest.h>

#include "asio/post.hpp"

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

TEST(LoopTest, TheReadBlockIsUsedAgainWhenNobodyHoldsIt) {
  Loop loop;
  Block* const first = loop.read_block().get();
  loop.DoneReading(1000);
  EXPECT_EQ(loop.read_block().get(), first);
  EXPECT_EQ(loop.read_block()->used, 0u);
}

TEST(LoopTest, BytesThatASliceHoldsAreNotOverwritten) {
  Loop loop;
  const BlockRef held = loop.read_block();
  loop.DoneReading(1000);
  EXPECT_EQ(loop.read_block()->used, 1000u);
  loop.DoneReading(held->capacity - 1000 - 100);
  // Too little room is left: a new block.
  EXPECT_NE(loop.read_block().get(), held.get());
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
