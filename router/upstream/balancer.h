// SPDX-License-Identifier: Apache-2.0
// Which of a backend's endpoints takes the next request.
#ifndef BANDIT_ROUTER_UPSTREAM_BALANCER_H_
#define BANDIT_ROUTER_UPSTREAM_BALANCER_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>

#include "absl/types/span.h"

namespace bandit::upstream {

// What a balancer sees of an endpoint; an endpoint is one.
struct Load {
  static constexpr int64_t kLongAgo = std::numeric_limits<int64_t>::min() / 2;

  size_t leases = 0;               // Requests under way.
  int64_t in_since_ns = kLongAgo;  // Since when it may be chosen.
};

enum class Balancing { kLeastRequest, kRoundRobin };

// kLeastRequest takes two at random and of them the one with fewer requests
// under way: nearly as even as looking at all of them, and it does not send
// everything to one that was just added (Mitzenmacher, 2001). An endpoint in
// its slow start that would be chosen is so with a probability that grows from
// a tenth to one.
//
// Thread-safety: none.   Determinism: the random source and the order of calls.
// Cost: O(1), no allocation.
class Balancer {
 public:
  // `slow_start_ns` 0: none.
  Balancer(Balancing kind, int64_t slow_start_ns)
      : kind_(kind), slow_start_ns_(slow_start_ns) {}

  // One of `from`, `avoid` only if there is no other. REQUIRES: `from` is not
  // empty.
  Load* Choose(absl::Span<Load* const> from, const Load* avoid, int64_t now_ns,
               std::mt19937_64& random);

 private:
  Load* LeastRequest(absl::Span<Load* const> from, const Load* avoid,
                     int64_t now_ns, std::mt19937_64& random) const;
  Load* InTurn(absl::Span<Load* const> from, const Load* avoid, int64_t now_ns,
               std::mt19937_64& random);
  // Whether slow start lets it have the request.
  bool Admits(const Load& load, int64_t now_ns, std::mt19937_64& random) const;

  Balancing kind_;
  int64_t slow_start_ns_;
  size_t next_ = 0;
};

}  // namespace bandit::upstream

#endif  // BANDIT_ROUTER_UPSTREAM_BALANCER_H_
