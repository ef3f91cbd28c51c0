// SPDX-License-Identifier: Apache-2.0
#include "bandit/client/reward_sender.h"

#include <utility>

#include "bandit/client/reward_worker.h"

namespace bandit::client {

RewardSender::RewardSender(
    const std::shared_ptr<grpc::ChannelInterface>& channel,
    RewardSenderOptions options)
    : worker_(std::make_unique<Worker>(channel, std::move(options))) {}

RewardSender::~RewardSender() {
  worker_->Lose(worker_->Close(worker_->close_timeout()),
                absl::DeadlineExceededError(
                    "not delivered when the sender was destroyed; Close() "
                    "with more time, or close_timeout, would have waited"));
}

absl::Status RewardSender::Send(Reward reward) {
  return worker_->Take(std::move(reward));
}

absl::Status RewardSender::Send(const Decision& decision,
                                std::string_view metric, double value) {
  Reward reward;
  reward.token = decision.token;
  reward.metric = metric;
  reward.value = value;
  return Send(std::move(reward));
}

absl::Status RewardSender::SendToAll(const Decisions& decisions,
                                     std::string_view metric, double value) {
  absl::Status status;
  for (const Decision& decision : decisions) {
    if (decision.counted()) status.Update(Send(decision, metric, value));
  }
  return status;
}

size_t RewardSender::Flush(absl::Duration timeout) {
  return worker_->Flush(timeout);
}

std::vector<Reward> RewardSender::Close(absl::Duration timeout) {
  return worker_->Close(timeout);
}

RewardCounts RewardSender::counts() const { return worker_->counts(); }

}  // namespace bandit::client
