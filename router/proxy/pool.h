// SPDX-License-Identifier: Apache-2.0
// Objects that are used again and again: a call needs no allocation for them.
#ifndef BANDIT_ROUTER_PROXY_POOL_H_
#define BANDIT_ROUTER_PROXY_POOL_H_

#include <cstddef>
#include <memory>
#include <vector>

namespace bandit::proxy {

struct WorkerState;

// Thread-safety: none.   Ownership: of all objects it ever made.
template <typename T>
class Pool {
 public:
  explicit Pool(WorkerState& worker) : worker_(worker) {}

  // One that is free, or a new one.
  T& Take() {
    if (free_.empty()) {
      all_.push_back(std::make_unique<T>(worker_));
      return *all_.back();
    }
    T* const object = free_.back();
    free_.pop_back();
    return *object;
  }
  void Recycle(T& object) { free_.push_back(&object); }

  size_t in_use() const { return all_.size() - free_.size(); }

 private:
  WorkerState& worker_;
  std::vector<std::unique_ptr<T>> all_;
  std::vector<T*> free_;
};

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_POOL_H_
