// SPDX-License-Identifier: Apache-2.0
// Rewards on their way from the queue to their transaction: those that name
// their decision by a request's id get it here, or wait for it.
//
// A reward may be here before the worker has told of the decision. So an id
// that is not known waits for a harvest that began after the reward came, and
// is given up when that has brought nothing: it was no request of this router.
#ifndef BANDIT_ROUTER_LEARNING_WAITING_REWARDS_H_
#define BANDIT_ROUTER_LEARNING_WAITING_REWARDS_H_

#include <cstdint>
#include <deque>
#include <vector>

#include "absl/time/time.h"
#include "router/learning/request_join.h"
#include "router/learning/reward_queue.h"

namespace bandit::learning {

// A batch is ready when each of its rewards has its decision or will never
// have it, which leaves `request_id` as it was. It goes on whole, so that its
// outcomes are durable together; others overtake it meanwhile.
// Thread-safety: none.
// Cost: Add is O(rewards), Resolve O(rewards that wait).
class WaitingRewards {
 public:
  // Takes over what has come by `now`. `harvest`: the number of the first one
  // that brings all decisions made by now.
  void Add(std::vector<RewardBatch> batches, const RequestJoin& join,
           uint64_t harvest, absl::Time now);

  // Looks again. All harvests up to `harvested` have been brought to `join`.
  // A worker that owes an answer is waited for no longer than a minute; if
  // requests are joined no more, nothing is.
  void Resolve(const RequestJoin& join, uint64_t harvested, absl::Time now);

  // The batches that were ready first, as TakeFront.
  std::vector<RewardBatch> Take(size_t most) {
    return TakeFront(&ready_, most);
  }
  bool has_ready() const { return !ready_.empty(); }

  // Rewards whose decision was not found.
  uint64_t given_up() const { return given_up_; }

 private:
  struct Waiting {
    RewardBatch batch;
    uint64_t harvest = 0;
    absl::Time since;
  };

  // Rewards of the batch whose decision is still not known.
  static uint64_t Find(const RequestJoin& join, absl::Time now,
                       RewardBatch* batch);

  std::deque<RewardBatch> ready_;
  std::vector<Waiting> waiting_;  // In the order of their coming.
  uint64_t given_up_ = 0;
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_WAITING_REWARDS_H_
