// SPDX-License-Identifier: Apache-2.0
#include "router/upstream/balancer.h"

#include <algorithm>
#include <utility>

namespace bandit::upstream {
namespace {

// Where slow start begins: it must get some, to warm up at all.
constexpr double kLeastShare = 0.1;

// In [0, n), of 32 random bits (Lemire, 2019, without the rejection: n is far
// below 2^32).
size_t Below(uint32_t bits, size_t n) {
  return static_cast<size_t>((uint64_t{bits} * n) >> 32);
}

}  // namespace

Load* Balancer::Choose(absl::Span<Load* const> from, const Load* avoid,
                       int64_t now_ns, std::mt19937_64& random) {
  if (from.size() == 1) return from[0];
  return kind_ == Balancing::kLeastRequest
             ? LeastRequest(from, avoid, now_ns, random)
             : InTurn(from, avoid, now_ns, random);
}

Load* Balancer::LeastRequest(absl::Span<Load* const> from, const Load* avoid,
                             int64_t now_ns, std::mt19937_64& random) const {
  const uint64_t bits = random();
  const size_t i = Below(static_cast<uint32_t>(bits), from.size());
  size_t j = Below(static_cast<uint32_t>(bits >> 32), from.size() - 1);
  if (j >= i) ++j;
  Load* first = from[i];
  Load* second = from[j];
  if (first == avoid) return second;
  if (second == avoid) return first;
  if (second->leases < first->leases) std::swap(first, second);
  return Admits(*first, now_ns, random) ? first : second;
}

Load* Balancer::InTurn(absl::Span<Load* const> from, const Load* avoid,
                       int64_t now_ns, std::mt19937_64& random) {
  Load* chosen = nullptr;
  for (size_t i = 0; i < from.size(); ++i) {
    Load* const next = from[next_++ % from.size()];
    if (next == avoid) continue;
    chosen = next;
    if (Admits(*next, now_ns, random)) break;
  }
  return chosen;
}

bool Balancer::Admits(const Load& load, int64_t now_ns,
                      std::mt19937_64& random) const {
  const int64_t since = now_ns - load.in_since_ns;
  if (since >= slow_start_ns_) return true;
  const double share =
      std::max(kLeastShare, static_cast<double>(since) /
                                static_cast<double>(slow_start_ns_));
  return static_cast<double>(random() >> 11) * 0x1p-53 < share;
}

}  // namespace bandit::upstream
