// SPDX-License-Identifier: Apache-2.0
// One run: a policy in the world from the first request to the last, tick by
// tick, under a clock of its own.
#ifndef BANDIT_ROUTER_SIMULATION_RUN_H_
#define BANDIT_ROUTER_SIMULATION_RUN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "router/experiment/plan.h"
#include "router/simulation/world.h"

namespace bandit::simulation {

struct RunOptions {
  uint64_t rounds = 0;  // Decisions, over all replicas; at least 1.
  double rate = 0;      // Requests a second, over all replicas.
  uint64_t seed = 0;
  size_t replicas = 1;
  // How often replicas exchange their sums; 0: never. At the end of a tick.
  absl::Duration sync;
  absl::Duration tick;  // Of the learner.
};

// A run is looked at this often, or after every decision if there are fewer.
inline constexpr uint64_t kMoments = 100;

// The number of decisions until moment i of `moments`.
constexpr uint64_t DecisionsUntil(uint64_t i, uint64_t moments,
                                  uint64_t rounds) {
  // No product that overflows: rounds may be large.
  return rounds / moments * (i + 1) + rounds % moments * (i + 1) / moments;
}

struct Trace {
  struct Moment {
    double regret = 0;           // Since the beginning.
    uint64_t best = 0;           // Since the moment before, as are draws.
    std::vector<uint64_t> arms;  // Draws.
  };
  std::vector<Moment> moments;
  // Of the last tenth of the decisions.
  uint64_t last = 0;
  uint64_t last_best = 0;
  std::vector<uint64_t> last_arms;
  // Sums over requests of what each arm would have given.
  std::vector<double> true_sums;
  std::vector<std::optional<double>> estimates;
  // Fed-back rewards.
  uint64_t accepted = 0, late = 0, lost = 0, pending = 0;
};

// `run` is the number of the run: another run is other luck.
// REQUIRES: `plan` has one experiment, that of `world` but for its policy.
// Fails with the policy's error if it cannot use what it learned.
// Determinism: the arguments.
absl::StatusOr<Trace> Run(const World& world,
                          const std::shared_ptr<const experiment::Plan>& plan,
                          const RunOptions& options, uint64_t run);

}  // namespace bandit::simulation

#endif  // BANDIT_ROUTER_SIMULATION_RUN_H_
