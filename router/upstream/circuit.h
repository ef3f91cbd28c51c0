// SPDX-License-Identifier: Apache-2.0
// The bound of the requests that all workers together have under way at a
// backend.
#ifndef BANDIT_ROUTER_UPSTREAM_CIRCUIT_H_
#define BANDIT_ROUTER_UPSTREAM_CIRCUIT_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace bandit::upstream {

// Thread-safety: any thread may call.
class Circuit {
 public:
  explicit Circuit(uint32_t max) : max_(max) {}

  uint32_t max() const { return max_; }

  // False: as many as may be are under way. Else ends with Leave.
  bool Enter() {
    // Relaxed: it counts, and orders nothing. Two that meet at the bound may
    // both be refused where one place was left.
    if (count_.fetch_add(1, std::memory_order_relaxed) < max_) return true;
    count_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  void Leave() { count_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  const uint32_t max_;
  std::atomic<uint32_t> count_ = 0;
};

// Gives every worker the same circuit for the same backend.
// Thread-safety: any thread may call.
class Circuits {
 public:
  // Null if `max` is 0: no bound. Lives while a worker holds it.
  std::shared_ptr<Circuit> Get(const std::string& backend, uint32_t max) {
    if (max == 0) return nullptr;
    absl::MutexLock lock(&mutex_);
    std::weak_ptr<Circuit>& known = circuits_[{backend, max}];
    std::shared_ptr<Circuit> circuit = known.lock();
    if (circuit == nullptr) {
      circuit = std::make_shared<Circuit>(max);
      known = circuit;
    }
    return circuit;
  }

 private:
  absl::Mutex mutex_;  // Workers that adopt a plan at the same time.
  std::map<std::pair<std::string, uint32_t>, std::weak_ptr<Circuit>> circuits_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace bandit::upstream

#endif  // BANDIT_ROUTER_UPSTREAM_CIRCUIT_H_
