// SPDX-License-Identifier: Apache-2.0
// One router of a simulation: the learning side of the real one (worker
// statistics, ledger, trainer) under a clock that is an argument, without
// threads and without a store.
#ifndef BANDIT_ROUTER_SIMULATION_REPLICA_H_
#define BANDIT_ROUTER_SIMULATION_REPLICA_H_

#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "router/experiment/plan.h"
#include "router/learning/ledger.h"
#include "router/learning/trainer.h"
#include "router/learning/worker_statistics.h"
#include "router/simulation/exchange.h"

namespace bandit::simulation {

// REQUIRES: the plan has one experiment.
// Thread-safety: none.   Determinism: the calls and the seed.
class Replica {
 public:
  // `exchanges`: it will be told of what others learned. `center`: what sums
  // of a metric that fixes no constant are taken about, so that all replicas
  // agree on it.
  // Fails with the policy's error if it cannot be prepared from nothing.
  static absl::StatusOr<std::unique_ptr<Replica>> Start(
      const std::shared_ptr<const experiment::Plan>& plan, bool exchanges,
      double center, uint64_t seed);

  // What requests are decided by, and with which chance.
  const policies::Model& model() const {
    return *trainer_->snapshot()->models[0];
  }
  std::mt19937_64& random() { return random_; }
  learning::WorkerStatistics& statistics() { return statistics_; }

  // A reward comes at `now`.
  learning::Outcome Take(const learning::Reward& reward, absl::Time now);

  // The end of a tick: what was counted, rewarded and has matured by `now` is
  // in the sums.
  void Settle(absl::Time now);
  // Own sums, since the beginning.
  Sums Own() const;
  // From now on models are made of own sums and these.
  void Adopt(Sums others);
  // Prepares the next model if the sums have moved.
  absl::Status Train();

  // All that it knows of the reward metric at an arm; absent if nothing.
  std::optional<double> Estimate(size_t arm) const;

 private:
  Replica(const std::shared_ptr<const experiment::Plan>& plan, bool exchanges,
          uint64_t seed);
  void FixCenters(double center, learning::Ledger* ledger) const;
  absl::Status Pool();

  std::shared_ptr<const experiment::Plan> plan_;
  bool measures_;  // The reward has a part that the router measures.
  learning::WorkerStatistics statistics_;
  learning::Ledger own_;
  // Own sums and the others'; absent if there are no others.
  std::unique_ptr<learning::Ledger> pooled_;
  Sums others_;
  bool others_moved_ = false;
  std::unique_ptr<learning::Trainer> trainer_;
  std::mt19937_64 random_;
};

}  // namespace bandit::simulation

#endif  // BANDIT_ROUTER_SIMULATION_REPLICA_H_
