// SPDX-License-Identifier: Apache-2.0
// What became of spans and of lines of the access log.
#ifndef BANDIT_ROUTER_OBSERVE_TALLY_H_
#define BANDIT_ROUTER_OBSERVE_TALLY_H_

#include <atomic>
#include <cstdint>

namespace bandit::observe {

// A counter that several threads add to and others read; nothing hangs on it
// but a metric, so relaxed will do.
class Counter {
 public:
  void Add(uint64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_ = 0;
};

struct Tally {
  struct Results {
    Counter done;     // The collector took it; it was written.
    Counter dropped;  // No room to keep it.
    Counter failed;   // It was tried, and given up.
  };
  Results spans;
  Results lines;
};

}  // namespace bandit::observe

#endif  // BANDIT_ROUTER_OBSERVE_TALLY_H_
