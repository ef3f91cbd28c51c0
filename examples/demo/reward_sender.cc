// SPDX-License-Identifier: Apache-2.0
#include "examples/demo/reward_sender.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "examples/demo/router_config.h"
#include "fmt/format.h"

namespace bandit::demo {
namespace {

constexpr size_t kBatch = 100;
// Rewards due within this time share a call.
constexpr absl::Duration kGather = absl::Milliseconds(50);
constexpr absl::Duration kTimeout = absl::Seconds(5);
constexpr absl::Duration kBackOff = absl::Milliseconds(200);
constexpr int kMaxRefused = 20;

}  // namespace

struct RewardSender::RecordCall : Call {
  void Done() override { sender->OnAnswer(this); }

  RewardSender* sender = nullptr;
  std::vector<DueReward> batch;
  v1::RecordResponse response;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::RecordResponse>> reader;
};

RewardSender::RewardSender(const std::shared_ptr<grpc::Channel>& channel,
                           CallLoop* loop, Tally* tally)
    : stub_(v1::Feedback::NewStub(channel)), loop_(loop), tally_(tally) {}

void RewardSender::Add(DueReward reward) { waiting_.push(std::move(reward)); }

absl::Time RewardSender::next() const {
  if (waiting_.empty()) return absl::InfiniteFuture();
  if (hurry_) return absl::InfinitePast();
  return std::max(waiting_.top().due, last_sent_ + kGather);
}

void RewardSender::SendDue(absl::Time now) {
  if (next() > now) return;
  last_sent_ = now;
  std::vector<DueReward> batch;
  while (!waiting_.empty() && (hurry_ || waiting_.top().due <= now)) {
    batch.push_back(waiting_.top());
    waiting_.pop();
    if (batch.size() == kBatch) SendBatch(std::exchange(batch, {}));
  }
  if (!batch.empty()) SendBatch(std::move(batch));
}

void RewardSender::SendBatch(std::vector<DueReward> batch) {
  v1::RecordRequest request;
  for (const DueReward& due : batch) {
    v1::Reward* const reward = request.add_rewards();
    reward->set_decision(due.decision);
    reward->set_metric(kMetric);
    reward->set_value(due.value);
  }
  sent_ += batch.size();
  RecordCall* const call = loop_->Own(std::make_unique<RecordCall>());
  call->sender = this;
  call->batch = std::move(batch);
  call->context.set_deadline(absl::ToChronoTime(absl::Now() + kTimeout));
  call->reader = stub_->AsyncRecord(&call->context, request, loop_->queue());
  call->reader->Finish(&call->response, &call->status, call);
}

void RewardSender::OnAnswer(RecordCall* call) {
  sent_ -= call->batch.size();
  const grpc::StatusCode code = call->status.error_code();
  const bool refused = code == grpc::StatusCode::RESOURCE_EXHAUSTED ||
                       code == grpc::StatusCode::UNAVAILABLE;
  if (refused) {
    for (DueReward& reward : call->batch) {
      if (++reward.refused > kMaxRefused) {
        ++lost_;
        continue;
      }
      ++retried_;
      reward.due = absl::Now() + kBackOff;
      waiting_.push(std::move(reward));
    }
    hurry_ = false;
    return;
  }
  const auto answers = static_cast<size_t>(call->response.outcomes_size());
  if (!call->status.ok() || answers != call->batch.size()) {
    lost_ += call->batch.size();
    tally_->Failed(
        call->status.ok()
            ? fmt::format("Feedback.Record answered {} rewards of {}", answers,
                          call->batch.size())
            : fmt::format("Feedback.Record: {} (status {})",
                          call->status.error_message(),
                          static_cast<int>(code)));
    return;
  }
  for (size_t i = 0; i < answers; ++i) {
    const DueReward& reward = call->batch[i];
    tally_->Rewarded(reward.arm, reward.device, reward.value,
                     call->response.outcomes(static_cast<int>(i)));
  }
}

}  // namespace bandit::demo
