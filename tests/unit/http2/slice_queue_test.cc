// SPDX-License-Identifier: Apache-2.0
#include "router/http2/slice_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace bandit::http2 {
namespace {

std::string Contents(const SliceQueue& queue) {
  std::string all;
  for (const Slice& slice : queue) all += slice.view();
  return all;
}

BlockRef BlockWith(BlockPool& pool, const std::string& bytes) {
  BlockRef block = pool.Allocate(BlockPool::kLarge);
  std::copy(bytes.begin(), bytes.end(), block->data());
  block->used = static_cast<uint32_t>(bytes.size());
  return block;
}

TEST(SliceQueueTest, SmallCopiesShareOneBlock) {
  BlockPool pool;
  SliceQueue queue;
  queue.Copy(pool, BlockPool::kSmall, "abc");
  queue.Copy(pool, BlockPool::kSmall, "defg");
  EXPECT_EQ(Contents(queue), "abcdefg");
  EXPECT_EQ(queue.size(), 7u);
  EXPECT_EQ(queue.end() - queue.begin(), 1);
}

TEST(SliceQueueTest, ACopyLargerThanABlockSpansSeveral) {
  BlockPool pool;
  SliceQueue queue;
  std::string bytes(5000, 'x');
  bytes[4999] = 'y';
  queue.Copy(pool, BlockPool::kSmall, bytes);
  EXPECT_EQ(Contents(queue), bytes);
  EXPECT_EQ(queue.end() - queue.begin(), 3);
}

// A few bytes must not hold a whole read block in memory.
TEST(SliceQueueTest, FewBytesAreCopiedManyAreShared) {
  BlockPool pool;
  SliceQueue queue;
  BlockRef block = BlockWith(pool, std::string(20000, 'z'));
  queue.Append(pool, block, block->data(), 100);
  EXPECT_EQ(block->references, 1u);
  queue.Append(pool, block, block->data() + 100, 10000);
  EXPECT_EQ(block->references, 2u);
  EXPECT_EQ(queue.size(), 10100u);
}

TEST(SliceQueueTest, CopyDoesNotGrowABlockThatIsShared) {
  BlockPool pool;
  SliceQueue queue;
  queue.Copy(pool, BlockPool::kSmall, "abc");
  const Slice other = *queue.begin();
  queue.Copy(pool, BlockPool::kSmall, "def");
  EXPECT_EQ(other.view(), "abc");
  EXPECT_EQ(other.block->used, 3u);
  EXPECT_EQ(Contents(queue), "abcdef");
}

TEST(SliceQueueTest, MoveToKeepsOrderAndReleasesBlocks) {
  BlockPool pool;
  SliceQueue from;
  SliceQueue to;
  std::string expected;
  BlockRef block = BlockWith(pool, std::string(30000, 'b'));
  from.Copy(pool, BlockPool::kSmall, "head");
  from.Append(pool, block, block->data(), 30000);
  from.Copy(pool, BlockPool::kSmall, "tail");
  expected = "head" + std::string(30000, 'b') + "tail";

  from.MoveTo(to, pool, 10);
  from.MoveTo(to, pool, 16384);
  from.MoveTo(to, pool, from.size());
  EXPECT_TRUE(from.empty());
  EXPECT_EQ(Contents(to), expected);
  to.Clear();
  block = BlockRef();
  EXPECT_EQ(pool.held_bytes(), 0u);
}

TEST(SliceQueueTest, GatherGivesTheFirstRanges) {
  BlockPool pool;
  SliceQueue queue;
  BlockRef block = BlockWith(pool, std::string(20000, 'q'));
  for (int i = 0; i < 3; ++i) queue.Share({block, block->data(), 6000});
  std::array<iovec, 2> vectors;
  EXPECT_EQ(queue.Gather(vectors.data(), 2), 2);
  EXPECT_EQ(vectors[1].iov_len, 6000u);
}

// The queue of a long stream is appended to and dropped from without end.
TEST(SliceQueueTest, DroppedSlicesDoNotPileUp) {
  BlockPool pool;
  SliceQueue queue;
  BlockRef block = BlockWith(pool, std::string(5000, 'q'));
  queue.Share({block, block->data(), 5000});
  for (int i = 0; i < 10000; ++i) {
    queue.Share({block, block->data(), 5000});
    queue.Drop(5000);
  }
  EXPECT_EQ(queue.size(), 5000u);
  EXPECT_EQ(queue.end() - queue.begin(), 1);
  EXPECT_EQ(block->references, 2u);
}

TEST(SliceQueueTest, ACopyLeavesTheBytesWhereTheyAre) {
  BlockPool pool;
  SliceQueue queue;
  queue.Copy(pool, BlockPool::kSmall, "small");
  BlockRef block = BlockWith(pool, std::string(10'000, 'b'));
  queue.Share({block, block->data(), 10'000});
  queue.Copy(pool, BlockPool::kSmall, "end");
  const std::string all = Contents(queue);
  for (const size_t from : {0, 3, 5, 9'000, 10'005}) {
    for (const size_t size :
         {size_t{0}, size_t{1}, size_t{3}, all.size() - from}) {
      SliceQueue out;
      queue.CopyTo(out, pool, from, size);
      EXPECT_EQ(Contents(out), all.substr(from, size)) << from << " " << size;
    }
  }
  EXPECT_EQ(Contents(queue), all);
}

}  // namespace
}  // namespace bandit::http2
