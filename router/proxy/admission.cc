// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/admission.h"

#include <utility>

namespace bandit::proxy {
namespace {

// Adds one unless that would be more than `most`.
bool AddWithin(std::atomic<uint32_t>& count, uint32_t most) {
  uint32_t seen = count.load(std::memory_order_relaxed);
  while (seen < most) {
    if (count.compare_exchange_weak(seen, seen + 1,
                                    std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

}  // namespace

Admission::Admission(http2::Loop& loop, Shared& shared)
    : loop_(loop), shared_(shared) {}

Admission::~Admission() { loop_.wheel().Unset(poll_); }

void Admission::Configure(uint32_t max_requests, uint32_t queue) {
  max_requests_ = max_requests;
  queue_ = queue;
  AdmitNext();
}

Admission::Verdict Admission::Enter(Waiter& waiter) {
  if (first_ == nullptr && TakePlace(waiter)) return Verdict::kAdmitted;
  if (!AddWithin(shared_.waiting, queue_)) return Verdict::kFull;
  waiter.waiting_ = true;
  waiter.previous_ = last_;
  waiter.next_ = nullptr;
  (last_ == nullptr ? first_ : last_->next_) = &waiter;
  last_ = &waiter;
  if (!poll_.set()) loop_.wheel().Set(poll_, loop_.now());
  return Verdict::kWaits;
}

void Admission::Leave(Waiter& waiter) {
  if (waiter.waiting_) Unlink(waiter);
  if (std::exchange(waiter.counted_, false)) {
    shared_.running.fetch_sub(1, std::memory_order_relaxed);
    AdmitNext();
  }
}

bool Admission::TakePlace(Waiter& waiter) {
  if (max_requests_ == 0) return true;
  waiter.counted_ = AddWithin(shared_.running, max_requests_);
  return waiter.counted_;
}

void Admission::Unlink(Waiter& waiter) {
  waiter.waiting_ = false;
  (waiter.previous_ == nullptr ? first_ : waiter.previous_->next_) =
      waiter.next_;
  (waiter.next_ == nullptr ? last_ : waiter.next_->previous_) =
      waiter.previous_;
  shared_.waiting.fetch_sub(1, std::memory_order_relaxed);
}

void Admission::AdmitNext() {
  while (first_ != nullptr && TakePlace(*first_)) {
    Waiter& waiter = *first_;
    Unlink(waiter);
    waiter.OnAdmitted();
  }
  if (first_ != nullptr && !poll_.set()) {
    loop_.wheel().Set(poll_, loop_.now());
  }
}

}  // namespace bandit::proxy
