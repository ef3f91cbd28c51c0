// SPDX-License-Identifier: Apache-2.0
// Where one worker hands in the calls that are to be written down.
#ifndef BANDIT_ROUTER_OBSERVE_TAP_H_
#define BANDIT_ROUTER_OBSERVE_TAP_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>

#include "router/observe/call.h"
#include "router/observe/ring.h"
#include "router/observe/tally.h"

namespace bandit::observe {

// What is asked of the workers; none: off.
struct Shares {
  std::optional<double> traced;  // Of calls without a sampled traceparent.
  std::optional<double> logged;  // Of calls that succeed.

  bool any() const { return traced.has_value() || logged.has_value(); }
};

// Thread-safety: Configure from one thread; Drain from one that begins after
// the first Configure that asks for something; the rest from the worker.
// Ownership: borrows the tally.
class Tap {
 public:
  // Calls that wait to be taken: at 200,000 a second those of one poll.
  static constexpr size_t kCapacity = 4096;

  // `unix_ns` tells the time; `seed` is that of ids and chance.
  Tap(uint64_t seed, std::function<int64_t()> unix_ns, Tally* tally,
      size_t capacity = kCapacity)
      : capacity_(capacity),
        unix_ns_(std::move(unix_ns)),
        tally_(tally),
        random_(seed) {}

  // Memory is taken the first time that something is asked for, and kept.
  void Configure(const Shares& shares) {
    if (shares.any() && ring_ == nullptr) {
      ring_ = std::make_unique<Ring<Record>>(capacity_);
    }
    // Relaxed: a call or two more may go by what was asked before.
    traced_.store(shares.traced.value_or(kOff), std::memory_order_relaxed);
    logged_.store(shares.logged.value_or(kOff), std::memory_order_relaxed);
    // Release: whoever sees it sees the ring, too.
    on_.store(shares.any(), std::memory_order_release);
  }

  bool on() const { return on_.load(std::memory_order_acquire); }
  bool tracing() const { return Load(traced_) != kOff; }
  bool logging() const { return Load(logged_) != kOff; }
  // By chance, as the shares say; false where it is off.
  bool ChooseTraced() { return Chance(Load(traced_)); }
  bool ChooseLogged() { return Chance(Load(logged_)); }

  uint64_t Random() { return random_(); }
  int64_t unix_ns() const { return unix_ns_(); }

  // Hands the call in. Full: it is dropped, and counted.
  // REQUIRES: on() was true once.
  // Cost: a copy of at most a kilobyte; never waits.
  void Push(const Call& call) {
    Record* const record = ring_->Claim();
    if (record == nullptr) {
      if (call.traced) tally_->spans.dropped.Add(1);
      if (call.logged) tally_->lines.dropped.Add(1);
      return;
    }
    record->Fill(call);
    ring_->Publish();
  }

  // Calls `visit(const Call&)` for what has been handed in, at most `most`
  // times.
  template <typename Visit>
  void Drain(size_t most, Visit visit) {
    if (ring_ == nullptr) return;
    for (; most > 0; --most) {
      const Record* const record = ring_->Front();
      if (record == nullptr) return;
      visit(record->View());
      ring_->Pop();
    }
  }

 private:
  static constexpr double kOff = -1;

  static double Load(const std::atomic<double>& share) {
    return share.load(std::memory_order_relaxed);
  }
  bool Chance(double share) {
    if (share <= 0) return false;
    return share >= 1 || static_cast<double>(random_() >> 11) * 0x1p-53 < share;
  }

  const size_t capacity_;
  const std::function<int64_t()> unix_ns_;
  Tally* const tally_;
  std::atomic<bool> on_ = false;
  std::atomic<double> traced_ = kOff;
  std::atomic<double> logged_ = kOff;
  std::mt19937_64 random_;
  std::unique_ptr<Ring<Record>> ring_;
};

}  // namespace bandit::observe

#endif  // BANDIT_ROUTER_OBSERVE_TAP_H_
