// SPDX-License-Identifier: Apache-2.0
// What the learner asks of a worker. The seam between the request path and
// the learning side: neither waits for the other.
#ifndef BANDIT_ROUTER_LEARNING_WORKER_PORT_H_
#define BANDIT_ROUTER_LEARNING_WORKER_PORT_H_

#include <functional>
#include <memory>
#include <vector>

#include "router/learning/snapshot.h"
#include "router/learning/worker_statistics.h"

namespace bandit::learning {

// Thread-safety: any thread may call.
class WorkerPort {
 public:
  virtual ~WorkerPort() = default;

  // Decide by `snapshot` from now on. Never blocks.
  virtual void Publish(std::shared_ptr<const Snapshot> snapshot) = 0;

  // One delta for each plan that still has calls under way, the current one
  // last.
  using Deltas = std::vector<std::unique_ptr<WorkerDelta>>;

  // Hands what was counted since the last harvest to `done`, on the worker's
  // thread, soon; at once, on this thread, if the worker's has ended. Never
  // blocks. `done` is dropped uncalled if the worker is just stopping.
  virtual void Harvest(std::function<void(Deltas)> done) = 0;
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_WORKER_PORT_H_
