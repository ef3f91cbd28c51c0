// SPDX-License-Identifier: Apache-2.0
#include "router/observe/ring.h"

#include <cstdint>
#include <thread>

#include "gtest/gtest.h"

namespace bandit::observe {
namespace {

TEST(RingTest, KeepsTheOrderAndHasRoomAgainAfterPop) {
  Ring<int> ring(4);
  EXPECT_EQ(ring.Front(), nullptr);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 4; ++i) {
      int* const slot = ring.Claim();
      ASSERT_NE(slot, nullptr);
      *slot = round * 10 + i;
      ring.Publish();
    }
    EXPECT_EQ(ring.Claim(), nullptr);
    for (int i = 0; i < 4; ++i) {
      const int* const front = ring.Front();
      ASSERT_NE(front, nullptr);
      EXPECT_EQ(*front, round * 10 + i);
      ring.Pop();
    }
    EXPECT_EQ(ring.Front(), nullptr);
  }
}

TEST(RingTest, AClaimThatIsNotPublishedIsNotSeen) {
  Ring<int> ring(2);
  ASSERT_NE(ring.Claim(), nullptr);
  EXPECT_EQ(ring.Front(), nullptr);
}

// Under the thread sanitizer: what was published is whole, in order, and what
// did not fit is all that is missing.
TEST(RingTest, TwoThreadsLoseNothingButWhatDidNotFit) {
  struct Pair {
    uint64_t a;
    uint64_t b;
  };
  constexpr uint64_t kAll = 200'000;
  Ring<Pair> ring(64);
  uint64_t dropped = 0;
  std::atomic<bool> finished = false;
  std::thread producer([&] {
    for (uint64_t i = 1; i <= kAll; ++i) {
      Pair* const slot = ring.Claim();
      if (slot == nullptr) {
        ++dropped;
        continue;
      }
      *slot = {i, ~i};
      ring.Publish();
    }
    finished = true;
  });
  uint64_t seen = 0;
  uint64_t last = 0;
  while (true) {
    const bool end = finished;
    const Pair* const front = ring.Front();
    if (front == nullptr) {
      if (end) break;
      std::this_thread::yield();
      continue;
    }
    ASSERT_EQ(front->b, ~front->a);
    ASSERT_GT(front->a, last);
    last = front->a;
    ++seen;
    ring.Pop();
  }
  producer.join();
  EXPECT_EQ(seen + dropped, kAll);
  EXPECT_GT(seen, 0u);
}

}  // namespace
}  // namespace bandit::observe
