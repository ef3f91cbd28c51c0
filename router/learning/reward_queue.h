// SPDX-License-Identifier: Apache-2.0
// Rewards that wait for their transaction: bounded, in order, whole batches.
#ifndef BANDIT_ROUTER_LEARNING_REWARD_QUEUE_H_
#define BANDIT_ROUTER_LEARNING_REWARD_QUEUE_H_

#include <deque>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "router/learning/reward.h"
#include "router/learning/wakeup.h"

namespace bandit::learning {

struct RewardBatch {
  std::vector<Reward> rewards;
  RewardsDone done;
};

// Takes the first batches, whole: at most `most` rewards, but at least one
// batch if there is one.
std::vector<RewardBatch> TakeFront(std::deque<RewardBatch>* batches,
                                   size_t most);

// Thread-safety: any thread may call.   Ownership: borrows `wakeup`.
class RewardQueue {
 public:
  RewardQueue(size_t capacity, Wakeup* wakeup)
      : wakeup_(wakeup), capacity_(capacity) {}

  // Fails as RewardSink::Submit says; nothing of the batch is kept then.
  absl::Status Push(RewardBatch batch);

  void SetCapacity(size_t capacity);

  // The oldest batches, as TakeFront; rings if some are left. They still count
  // against the capacity until Release, because their rewards still take
  // memory.
  std::vector<RewardBatch> Take(size_t most);
  void Release(const std::vector<RewardBatch>& batches);

  // Takes no more batches from now on.
  void Close();

  // Rewards, taken but not released included.
  size_t size() const;

 private:
  Wakeup* wakeup_;
  mutable absl::Mutex mutex_;
  size_t capacity_ ABSL_GUARDED_BY(mutex_);
  size_t size_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<RewardBatch> batches_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_REWARD_QUEUE_H_
