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
