// SPDX-License-Identifier: Apache-2.0
// How replicas learn from each other: each brings its own cumulative sums, what
// is new of them is added to the total, and each takes the total without its
// own.
#ifndef BANDIT_ROUTER_SIMULATION_EXCHANGE_H_
#define BANDIT_ROUTER_SIMULATION_EXCHANGE_H_

#include <cstddef>
#include <map>
#include <vector>

#include "router/store/state_store.h"
#include "router/store/statistics_row.h"

namespace bandit::simulation {

// The rows that models are made of. Rows of one key are about one center and
// name the same arms in the same order.
using Sums = std::map<store::StatisticsKey, store::StatisticsRow>;

// to += sign * from.
void AddSums(const Sums& from, double sign, Sums* to);

// Thread-safety: none.
class Exchange {
 public:
  explicit Exchange(size_t replicas) : pushed_(replicas) {}

  // Takes what the replica has learned by itself in all. A second time adds
  // nothing.
  void Push(size_t replica, Sums own);
  // What the others have pushed so far, all together.
  Sums Others(size_t replica) const;
  const Sums& total() const { return total_; }

 private:
  std::vector<Sums> pushed_;
  Sums total_;
};

}  // namespace bandit::simulation

#endif  // BANDIT_ROUTER_SIMULATION_EXCHANGE_H_
