// SPDX-License-Identifier: Apache-2.0
// A queue of byte ranges that live in blocks: a message body on its way, or
// what a socket is to write.
#ifndef BANDIT_ROUTER_HTTP2_SLICE_QUEUE_H_
#define BANDIT_ROUTER_HTTP2_SLICE_QUEUE_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "router/http2/block.h"

namespace bandit::http2 {

struct Slice {
  BlockRef block;
  const uint8_t* data = nullptr;
  size_t size = 0;

  std::string_view view() const {
    return {reinterpret_cast<const char*>(data), size};
  }
};

// Thread-safety: none.   Ownership: holds references to its blocks.
class SliceQueue {
 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Copies the bytes, filling up the last block first; new blocks are of
  // `size_class`.
  void Copy(BlockPool& pool, BlockPool::SizeClass size_class,
            const uint8_t* data, size_t size);
  void Copy(BlockPool& pool, BlockPool::SizeClass size_class,
            std::string_view bytes) {
    Copy(pool, size_class, reinterpret_cast<const uint8_t*>(bytes.data()),
         bytes.size());
  }

  // Appends a range of a block without a copy.
  void Share(Slice slice);

  // Bytes that came in `block`: shared if they are many, else copied, so that
  // a few bytes do not hold a whole read block.
  void Append(BlockPool& pool, const BlockRef& block, const uint8_t* data,
              size_t size);

  // Moves the first `size` bytes to the end of `out`: small pieces are copied
  // into its last block, large ones change hands. REQUIRES: size <= size().
  void MoveTo(SliceQueue& out, BlockPool& pool, size_t size);

  // As MoveTo, but from the byte `from` on, and the bytes stay.
  // REQUIRES: from + size <= size().
  void CopyTo(SliceQueue& out, BlockPool& pool, size_t from, size_t size) const;

  // Drops the first `size` bytes. REQUIRES: size <= size().
  void Drop(size_t size);
  void Clear();

  // Fills up to `count` entries with the first ranges; how many it filled.
  int Gather(iovec* vectors, int count) const;

  // The first range; empty if the queue is.
  std::string_view front() const {
    return empty() ? std::string_view() : slices_[head_].view();
  }
  // All ranges, in order.
  const Slice* begin() const { return slices_.data() + head_; }
  const Slice* end() const { return slices_.data() + slices_.size(); }

 private:
  // `size` bytes of the slice, copied if they are few.
  void AddPart(BlockPool& pool, const Slice& slice, size_t from, size_t size);

  std::vector<Slice> slices_;
  size_t head_ = 0;  // slices_[0, head_) have been dropped.
  size_t size_ = 0;
};

}  // namespace bandit::http2

#endif  // BANDIT_ROUTER_HTTP2_SLICE_QUEUE_H_
