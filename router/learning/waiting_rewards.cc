// SPDX-License-Identifier: Apache-2.0
#include "router/learning/waiting_rewards.h"

#include <utility>

namespace bandit::learning {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(1);

}  // namespace

uint64_t WaitingRewards::Find(const RequestJoin& join, absl::Time now,
                              RewardBatch* batch) {
  uint64_t unknown = 0;
  for (Reward& reward : batch->rewards) {
    if (reward.request_id.empty()) continue;
    auto decision = join.Find(reward.request_id, now);
    if (!decision.has_value()) {
      ++unknown;
      continue;
    }
    reward.decision = *std::move(decision);
    reward.request_id.clear();
  }
  return unknown;
}

void WaitingRewards::Add(std::vector<RewardBatch> batches,
                         const RequestJoin& join, uint64_t harvest,
                         absl::Time now) {
  for (RewardBatch& batch : batches) {
    const uint64_t unknown = Find(join, now, &batch);
    if (unknown == 0 || !join.on()) {
      given_up_ += unknown;
      ready_.push_back(std::move(batch));
    } else {
      waiting_.push_back(
          {.batch = std::move(batch), .harvest = harvest, .since = now});
    }
  }
}

void WaitingRewards::Resolve(const RequestJoin& join, uint64_t harvested,
                             absl::Time now) {
  std::vector<Waiting> still;
  for (Waiting& one : waiting_) {
    const uint64_t unknown = Find(join, now, &one.batch);
    const bool hopeless =
        !join.on() || harvested >= one.harvest || now - one.since > kPatience;
    if (unknown == 0 || hopeless) {
      given_up_ += unknown;
      ready_.push_back(std::move(one.batch));
    } else {
      still.push_back(std::move(one));
    }
  }
  waiting_ = std::move(still);
}

}  // namespace bandit::learning
