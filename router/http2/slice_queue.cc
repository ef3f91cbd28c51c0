// SPDX-License-Identifier: Apache-2.0
#include "router/http2/slice_queue.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace bandit::http2 {
namespace {

// Below this a copy costs less than a further entry of the write vector, and
// holding the whole block would cost too much memory.
constexpr size_t kShareAtLeast = 4096;

}  // namespace

void SliceQueue::Copy(BlockPool& pool, BlockPool::SizeClass size_class,
                      const uint8_t* data, size_t size) {
  size_ += size;
  while (size > 0) {
    Slice* last = slices_.size() > head_ ? &slices_.back() : nullptr;
    // Only a block that nobody else sees may grow.
    const bool extend =
        last != nullptr && last->block->references == 1 &&
        last->data + last->size == last->block->data() + last->block->used &&
        last->block->used < last->block->capacity;
    if (!extend) {
      BlockRef block = pool.Allocate(size_class);
      const uint8_t* start = block->data();
      slices_.push_back({std::move(block), start, 0});
      last = &slices_.back();
    }
    Block& block = *last->block.get();
    const size_t part = std::min<size_t>(size, block.capacity - block.used);
    std::memcpy(block.data() + block.used, data, part);
    block.used += part;
    last->size += part;
    data += part;
    size -= part;
  }
}

void SliceQueue::Share(Slice slice) {
  if (slice.size == 0) return;
  size_ += slice.size;
  slices_.push_back(std::move(slice));
}

void SliceQueue::Append(BlockPool& pool, const BlockRef& block,
                        const uint8_t* data, size_t size) {
  if (size >= kShareAtLeast && block) {
    Share({block, data, size});
  } else {
    Copy(pool, BlockPool::kSmall, data, size);
  }
}

void SliceQueue::AddPart(BlockPool& pool, const Slice& slice, size_t from,
                         size_t size) {
  if (size < kShareAtLeast) {
    Copy(pool, BlockPool::kMedium, slice.data + from, size);
  } else {
    Share({slice.block, slice.data + from, size});
  }
}

void SliceQueue::MoveTo(SliceQueue& out, BlockPool& pool, size_t size) {
  assert(size <= size_);
  while (size > 0) {
    const Slice& first = slices_[head_];
    const size_t part = std::min(size, first.size);
    out.AddPart(pool, first, 0, part);
    Drop(part);
    size -= part;
  }
}

void SliceQueue::CopyTo(SliceQueue& out, BlockPool& pool, size_t from,
                        size_t size) const {
  assert(from + size <= size_);
  for (const Slice& slice : *this) {
    if (size == 0) return;
    if (from >= slice.size) {
      from -= slice.size;
      continue;
    }
    const size_t part = std::min(size, slice.size - from);
    out.AddPart(pool, slice, from, part);
    from = 0;
    size -= part;
  }
}

void SliceQueue::Drop(size_t size) {
  assert(size <= size_);
  size_ -= size;
  while (size > 0) {
    Slice& first = slices_[head_];
    if (size < first.size) {
      first.data += size;
      first.size -= size;
      break;
    }
    size -= first.size;
    first = Slice();
    ++head_;
  }
  if (size_ == 0) {
    slices_.clear();
    head_ = 0;
  } else if (head_ > 32 && head_ * 2 > slices_.size()) {
    slices_.erase(slices_.begin(),
                  slices_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

void SliceQueue::Clear() {
  slices_.clear();
  head_ = 0;
  size_ = 0;
}

int SliceQueue::Gather(iovec* vectors, int count) const {
  int filled = 0;
  for (const Slice& slice : *this) {
    if (filled == count) break;
    vectors[filled++] = {const_cast<uint8_t*>(slice.data), slice.size};
  }
  return filled;
}

}  // namespace bandit::http2
