// SPDX-License-Identifier: Apache-2.0
// Collects the workers' deltas without waiting for any worker.
#ifndef BANDIT_ROUTER_LEARNING_HARVESTER_H_
#define BANDIT_ROUTER_LEARNING_HARVESTER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "router/learning/wakeup.h"
#include "router/learning/worker_port.h"

namespace bandit::learning {

// Thread-safety: one thread calls; workers answer on theirs, also after the
// harvester has gone.
// Ownership: borrows the ports; shares `wakeup` with what workers still hold.
class Harvester {
 public:
  // What is counted before `now` was counted.
  Harvester(std::vector<WorkerPort*> ports, std::shared_ptr<Wakeup> wakeup,
            absl::Time now);

  // Asks every worker that owes no answer; rings when one comes. The first
  // harvest is number 1.
  void Ask(absl::Time now);
  // The number of the last one.
  uint64_t asked() const { return asked_; }

  // Every worker that was asked has answered, or will never.
  bool Complete() const;

  // The deltas that came since the last call.
  std::vector<std::unique_ptr<WorkerDelta>> Take();

  // All decisions made before this have been taken; a worker that has owed an
  // answer for more than a minute is not waited for.
  absl::Time CountedThrough(absl::Time now) const;

  // The number of the last harvest whose every question has been answered: all
  // decisions made before it was asked are in what Take gives. A worker that
  // has gone is not waited for.
  uint64_t Answered() const;

  void Publish(const std::shared_ptr<const Snapshot>& snapshot) const;

 private:
  struct Mailbox;
  class Ticket;

  std::vector<WorkerPort*> ports_;
  uint64_t asked_ = 0;
  std::shared_ptr<Mailbox> mailbox_;
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_HARVESTER_H_
