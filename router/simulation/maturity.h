// SPDX-License-Identifier: Apache-2.0
// When decisions of metrics with a default come to count, so that a run can
// pass over the ticks in which nothing does.
#ifndef BANDIT_ROUTER_SIMULATION_MATURITY_H_
#define BANDIT_ROUTER_SIMULATION_MATURITY_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "router/simulation/world.h"

namespace bandit::simulation {

// The ledger cuts the time of day into slices of the experiment's length, and a
// slice matures when a metric's window has passed for its end. Times are ns
// since the beginning of a run.
// Thread-safety: none.   Cost: memory grows with the slices of a window.
class Maturity {
 public:
  // `start_ns`: the beginning's Unix time.
  Maturity(const World& world, int64_t start_ns);

  // A decision was made; `ns` is not before that of the last call.
  void Await(int64_t ns);
  // All that is due by `ns` has been taken in.
  void Pass(int64_t ns);
  // When the next slice matures; absent: none waits.
  std::optional<int64_t> Next() const;

 private:
  struct Window {
    int64_t length_ns = 0;
    std::deque<int64_t> due = {};  // Ascending.
  };

  int64_t start_ns_;
  int64_t slice_ns_;
  std::vector<Window> windows_;
};

}  // namespace bandit::simulation

#endif  // BANDIT_ROUTER_SIMULATION_MATURITY_H_
