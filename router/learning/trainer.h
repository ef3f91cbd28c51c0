// SPDX-License-Identifier: Apache-2.0
// From the ledger's sums to the models that workers decide by.
#ifndef BANDIT_ROUTER_LEARNING_TRAINER_H_
#define BANDIT_ROUTER_LEARNING_TRAINER_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "router/learning/ledger.h"
#include "router/learning/snapshot.h"

namespace bandit::learning {

// A reward is maximized. What the router measures by itself (latency_ms,
// ttfb_ms, error, response_bytes) are costs, so the policy sees -r of them
// (1 - r of `error`, which stays binary).
// Thread-safety: none.
class Trainer {
 public:
  // Starts with the models of policies that have learned nothing yet.
  // Fails with the policy's error if one cannot be prepared from nothing.
  static absl::StatusOr<std::unique_ptr<Trainer>> Start(
      std::shared_ptr<const experiment::Plan> plan);

  // Prepares what has changed since the last call, or since the ledger was
  // made. REQUIRES: the ledger has the plan given to Start. An experiment whose
  // policy fails keeps the model it has, and the first such error is returned;
  // the others are trained.
  absl::Status Train(Ledger& ledger);

  // From now on these arms may be drawn, and so often at most; see Snapshot.
  // Does nothing if it was so already.
  void Restrict(size_t experiment, policies::ArmSet eligible,
                const std::vector<double>& caps);

  // Never null; another object whenever anything in it is another.
  std::shared_ptr<const Snapshot> snapshot() const { return snapshot_; }

 private:
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<absl::Status> failed_;  // By experiment.
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_TRAINER_H_
