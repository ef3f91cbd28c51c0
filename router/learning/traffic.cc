// SPDX-License-Identifier: Apache-2.0
#include "router/learning/traffic.h"

namespace bandit::learning {
namespace {

template <size_t kSize>
void AddAll(const std::array<uint64_t, kSize>& from,
            std::array<uint64_t, kSize>* to) {
  for (size_t i = 0; i < kSize; ++i) (*to)[i] += from[i];
}

}  // namespace

void TrafficCounts::Merge(const TrafficCounts& other) {
  AddAll(other.retries, &retries);
  retries_denied += other.retries_denied;
  last_resort += other.last_resort;
  for (const auto& [arms, count] : other.fallbacks) fallbacks[arms] += count;
  mirror.Merge(other.mirror);
  mirror_overflow += other.mirror_overflow;
  uncounted.Merge(other.uncounted);
  AddAll(other.uncounted_why, &uncounted_why);
}

void LoadCounts::Merge(const LoadCounts& other) {
  AddAll(other.rejected, &rejected);
  unmatched += other.unmatched;
  queued += other.queued;
  dequeued += other.dequeued;
  AddAll(other.retries, &retries);
}

}  // namespace bandit::learning
