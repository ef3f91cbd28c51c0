// SPDX-License-Identifier: Apache-2.0
#include "router/learning/reward_queue.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"

namespace bandit::learning {

std::vector<RewardBatch> TakeFront(std::deque<RewardBatch>* batches,
                                   size_t most) {
  std::vector<RewardBatch> taken;
  size_t rewards = 0;
  while (!batches->empty()) {
    rewards += batches->front().rewards.size();
    if (!taken.empty() && rewards > most) break;
    taken.push_back(std::move(batches->front()));
    batches->pop_front();
  }
  return taken;
}

absl::Status RewardQueue::Push(RewardBatch batch) {
  {
    absl::MutexLock lock(&mutex_);
    if (closed_) {
      return absl::UnavailableError(
          "the router is stopping and takes no more rewards; send them again "
          "when it is back");
    }
    if (batch.rewards.size() > capacity_ - std::min(size_, capacity_)) {
      return absl::ResourceExhaustedError(fmt::format(
          "{} rewards wait for their transaction and {} more pass the limit "
          "learner.queue = {}; nothing of this batch was taken, send it again "
          "{}",
          size_, batch.rewards.size(), capacity_,
          batch.rewards.size() > capacity_ ? "in smaller ones" : "later"));
    }
    size_ += batch.rewards.size();
    batches_.push_back(std::move(batch));
  }
  wakeup_->Ring();
  return absl::OkStatus();
}

void RewardQueue::SetCapacity(size_t capacity) {
  absl::MutexLock lock(&mutex_);
  capacity_ = capacity;
}

std::vector<RewardBatch> RewardQueue::Take(size_t most) {
  std::vector<RewardBatch> taken;
  {
    absl::MutexLock lock(&mutex_);
    taken = TakeFront(&batches_, most);
    if (batches_.empty()) return taken;
  }
  wakeup_->Ring();
  return taken;
}

void RewardQueue::Release(const std::vector<RewardBatch>& batches) {
  absl::MutexLock lock(&mutex_);
  for (const RewardBatch& batch : batches) size_ -= batch.rewards.size();
}

void RewardQueue::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

size_t RewardQueue::size() const {
  absl::MutexLock lock(&mutex_);
  return size_;
}

}  // namespace bandit::learning
