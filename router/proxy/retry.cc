// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/retry.h"

#include <algorithm>
#include <utility>

namespace bandit::proxy {

bool RetryBudget::Take(const experiment::Retry& rule) {
  const auto share =
      static_cast<size_t>(rule.budget * static_cast<double>(requests_));
  if (retrying_ >= std::max<size_t>(rule.min_retries, share)) return false;
  ++retrying_;
  return true;
}

void Tries::Begin(const experiment::Retry* rule, RetryBudget* budget) {
  rule_ = rule;
  budget_ = budget;
  made_ = 1;
  if (rule_ != nullptr) budget_->Enter();
}

Tries::Step Tries::After(Failure failure) {
  if (failure == Failure::kReset) return {};
  if (failure == Failure::kUnsent && !std::exchange(resubmitted_, true)) {
    ++repeated_;
    return {.next = Next::kAtOnce};
  }
  if (!may_repeat()) return {};
  const bool no_place =
      failure == Failure::kNoConnection || failure == Failure::kCircuitOpen;
  // The same backend would only say the same again.
  if (failure == Failure::kCircuitOpen && !rule_->fallback) return {};
  if (!retrying_) {
    if (!budget_->Take(*rule_)) return {.denied = true};
    retrying_ = true;
  }
  ++made_;
  ++repeated_;
  Step step;
  step.other_arm = rule_->fallback && (no_place || made_ == rule_->attempts);
  if (step.other_arm) made_ = rule_->attempts;
  step.next = failure == Failure::kRefused || failure == Failure::kTimeout
                  ? Next::kAtOnce
                  : Next::kAfterBackoff;
  return step;
}

void Tries::End() {
  if (rule_ != nullptr) {
    if (retrying_) budget_->GiveBack();
    budget_->Leave();
  }
  *this = Tries();
}

int64_t RetryBackoffNs(uint32_t repeated, uint64_t random) {
  constexpr int64_t kFirst = 10'000'000;
  constexpr int64_t kLongest = 100'000'000;
  const int64_t most =
      std::min(kLongest, kFirst << std::min<uint32_t>(repeated - 1, 10));
  return most - static_cast<int64_t>(random % static_cast<uint64_t>(most / 2));
}

learning::RetryReason ReasonOf(Failure failure) {
  using learning::RetryReason;
  switch (failure) {
    case Failure::kUnsent:
      return RetryReason::kUnsent;
    case Failure::kNoConnection:
    case Failure::kCircuitOpen:
      return RetryReason::kNoConnection;
    case Failure::kRefused:
      return RetryReason::kRefused;
    case Failure::kUnavailable:
      return RetryReason::kUnavailable;
    case Failure::kTimeout:
      return RetryReason::kTimeout;
    case Failure::kBroken:
    case Failure::kReset:
      break;
  }
  return RetryReason::kBroken;
}

}  // namespace bandit::proxy
