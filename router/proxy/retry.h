// SPDX-License-Identifier: Apache-2.0
// Whether and when a request that failed is sent again.
#ifndef BANDIT_ROUTER_PROXY_RETRY_H_
#define BANDIT_ROUTER_PROXY_RETRY_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "router/experiment/plan.h"
#include "router/learning/traffic.h"

namespace bandit::proxy {

// Bounds the retries of one experiment at one worker, so that they cannot make
// an overload worse: those under way are a share of the requests under way, or
// a few.
// Thread-safety: none.
class RetryBudget {
 public:
  void Enter() { ++requests_; }
  void Leave() { --requests_; }
  // Room for one request more that is being tried again.
  bool Take(const experiment::Retry& rule);
  void GiveBack() { --retrying_; }

 private:
  size_t requests_ = 0;
  size_t retrying_ = 0;
};

// How a try ended that brought no response.
enum class Failure {
  kUnsent,        // The connection went before the request was written.
  kNoConnection,  // There was none.
  kCircuitOpen,   // The backend has all that it may have.
  kRefused,       // REFUSED_STREAM.
  kUnavailable,   // The backend said UNAVAILABLE or 503, and nothing else.
  kBroken,        // The connection broke after the request was written.
  kTimeout,       // per_try_timeout.
  kReset,         // The backend reset the stream otherwise.
};

// The tries of one request.
// Thread-safety: none.
class Tries {
 public:
  enum class Next { kGiveUp, kAtOnce, kAfterBackoff };
  struct Step {
    Next next = Next::kGiveUp;
    // To another arm, if there is one.
    bool other_arm = false;
    // It would have been tried again, had the budget had room.
    bool denied = false;
  };

  // The first one begins. No rule: only what was never written goes out again,
  // once. Ownership: borrows both until End.
  void Begin(const experiment::Retry* rule, RetryBudget* budget);
  // What follows upon the failure; unless it is to give up, a further try
  // begins.
  Step After(Failure failure);
  void End();

  // Whether what was sent is worth keeping.
  bool may_repeat() const {
    return rule_ != nullptr && made_ < rule_->attempts;
  }
  // 0: no bound.
  int64_t per_try_ns() const {
    return rule_ == nullptr ? 0 : rule_->per_try_ns;
  }
  // How often the request went out again.
  uint32_t repeated() const { return repeated_; }

 private:
  const experiment::Retry* rule_ = nullptr;
  RetryBudget* budget_ = nullptr;
  uint32_t made_ = 1;
  uint32_t repeated_ = 0;
  bool resubmitted_ = false;  // What was never written.
  bool retrying_ = false;     // Has a place in the budget.
};

// How long to wait before the `repeated`-th repetition (from 1): 10 ms, then
// twice as long, at most 100 ms, of which a random half may be left out.
int64_t RetryBackoffNs(uint32_t repeated, uint64_t random);

// As /metrics names it.
learning::RetryReason ReasonOf(Failure failure);

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_RETRY_H_
