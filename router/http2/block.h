// SPDX-License-Identifier: Apache-2.0
// Reference-counted memory for bytes on their way through the router.
//
// A socket is read into a block, message bytes are passed on as slices of it
// and written from there: no copy in user space but for small pieces. Blocks
// belong to one worker, so counts are plain integers and free blocks are kept
// in a list without locks.
#ifndef BANDIT_ROUTER_HTTP2_BLOCK_H_
#define BANDIT_ROUTER_HTTP2_BLOCK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace bandit::http2 {

class BlockPool;

// Header of an allocation of `capacity` further bytes.
struct Block {
  BlockPool* pool;
  uint32_t capacity;
  uint32_t used;  // Bytes written so far, by the one who fills the block.
  uint32_t references;
  uint8_t size_class;

  uint8_t* data() { return reinterpret_cast<uint8_t*>(this + 1); }
};

// An owning pointer to a block.
class BlockRef {
 public:
  BlockRef() = default;
  // Takes over one reference.
  explicit BlockRef(Block* block) : block_(block) {}
  BlockRef(const BlockRef& other) : block_(other.block_) {
    if (block_ != nullptr) ++block_->references;
  }
  BlockRef(BlockRef&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)) {}
  BlockRef& operator=(BlockRef other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~BlockRef();

  Block* get() const { return block_; }
  Block* operator->() const { return block_; }
  explicit operator bool() const { return block_ != nullptr; }

 private:
  Block* block_ = nullptr;
};

// Thread-safety: none, one per worker.   Ownership: must outlive its blocks.
class BlockPool {
 public:
  enum SizeClass : uint8_t { kSmall, kMedium, kLarge };
  static constexpr std::array<uint32_t, 3> kCapacity = {2048, 16384, 131072};

  BlockPool() = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool();

  // An empty block with one reference.
  BlockRef Allocate(SizeClass size_class);

  // Bytes in blocks that somebody holds.
  size_t held_bytes() const { return held_bytes_; }

 private:
  friend class BlockRef;
  void Release(Block* block);

  std::array<std::vector<Block*>, 3> free_;
  size_t held_bytes_ = 0;
};

inline BlockRef::~BlockRef() {
  if (block_ != nullptr && --block_->references == 0) {
    block_->pool->Release(block_);
  }
}

}  // namespace bandit::http2

#endif  // BANDIT_ROUTER_HTTP2_BLOCK_H_
