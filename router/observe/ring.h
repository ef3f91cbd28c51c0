// SPDX-License-Identifier: Apache-2.0
// A queue of fixed size from one thread to one other. Nobody waits: what does
// not fit is the producer's to drop.
#ifndef BANDIT_ROUTER_OBSERVE_RING_H_
#define BANDIT_ROUTER_OBSERVE_RING_H_

#include <atomic>
#include <cstddef>
#include <memory>

namespace bandit::observe {

// Thread-safety: Claim and Publish from one thread, Front and Pop from one.
// Cost: no allocation once made, and no shared cache line while neither end
// has caught up with the other.
template <typename T>
class Ring {
 public:
  // REQUIRES: `capacity` is a power of two.
  explicit Ring(size_t capacity)
      : mask_(capacity - 1),
        // Not initialized: memory is taken as it is first used.
        slots_(std::make_unique_for_overwrite<T[]>(capacity)) {}

  // The slot to fill, or null if all are full.
  T* Claim() {
    const size_t head = head_.load(std::memory_order_relaxed);
    if (head - tail_seen_ > mask_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);
      if (head - tail_seen_ > mask_) return nullptr;
    }
    return &slots_[head & mask_];
  }
  // Gives the claimed slot to the other side.
  void Publish() {
    head_.store(head_.load(std::memory_order_relaxed) + 1,
                std::memory_order_release);
  }

  // The oldest, or null if there is none.
  const T* Front() {
    const size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail == head_seen_) {
      head_seen_ = head_.load(std::memory_order_acquire);
      if (tail == head_seen_) return nullptr;
    }
    return &slots_[tail & mask_];
  }
  void Pop() {
    tail_.store(tail_.load(std::memory_order_relaxed) + 1,
                std::memory_order_release);
  }

 private:
  static constexpr size_t kCacheLine = 64;

  const size_t mask_;
  const std::unique_ptr<T[]> slots_;
  alignas(kCacheLine) std::atomic<size_t> head_ = 0;
  size_t tail_seen_ = 0;  // The producer's.
  alignas(kCacheLine) std::atomic<size_t> tail_ = 0;
  size_t head_seen_ = 0;  // The consumer's.
};

}  // namespace bandit::observe

#endif  // BANDIT_ROUTER_OBSERVE_RING_H_
