// SPDX-License-Identifier: Apache-2.0
#include "bandit/client/reward_worker.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bandit/client/backoff.h"

namespace bandit::client {
namespace {

// 1, 2, 4, 8, ...: enough to be seen, never a flood.
bool IsTold(uint64_t nth) { return (nth & (nth - 1)) == 0; }

void Tell(uint64_t nth, const std::string& what, const std::string& why) {
  if (!IsTold(nth)) return;
  std::fprintf(stderr, "bandit: %s (%llu so far): %s\n", what.c_str(),
               static_cast<unsigned long long>(nth), why.c_str());
}

std::string Of(const Reward& reward) {
  return absl::StrCat("a reward of ", reward.metric.empty()
                                          ? "the reward metric"
                                          : "metric " + reward.metric);
}

const char* UsualWhy(v1::Outcome outcome) {
  switch (outcome) {
    case v1::LATE:
      return "its attribution window has passed; send it sooner, or widen the "
             "metric's `window` in the router's config";
    case v1::UNKNOWN:
      return "the decision's experiment, its epoch or the request id is not "
             "known there; is this the router that decided, and was the "
             "experiment renamed or reset?";
    default:
      return "the token is not of this router's `token_key`, or the experiment "
             "declares no such metric, or the value is out of its range";
  }
}

// The router says it of the first of a batch.
std::string WhyRefused(const v1::RecordResponse& response, size_t place) {
  for (const v1::Refusal& refusal : response.refusals()) {
    if (refusal.reward() == place) return refusal.why();
  }
  return UsualWhy(response.outcomes(static_cast<int>(place)));
}

absl::Status ToAbsl(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      status.error_message());
}

v1::RecordRequest ToProto(const std::vector<Reward>& rewards) {
  v1::RecordRequest request;
  for (const Reward& reward : rewards) {
    v1::Reward* one = request.add_rewards();
    one->set_decision(reward.token);
    one->set_metric(reward.metric);
    one->set_value(reward.value);
    one->set_request_id(reward.request_id);
  }
  return request;
}

uint64_t SeedOf(uint64_t seed) {
  return seed != 0 ? seed : std::random_device()();
}

RewardSenderOptions Sane(RewardSenderOptions options) {
  options.batch = std::max<size_t>(options.batch, 1);
  return options;
}

}  // namespace

RewardSender::Worker::Worker(
    const std::shared_ptr<grpc::ChannelInterface>& channel,
    RewardSenderOptions options)
    : options_(Sane(std::move(options))),
      stub_(v1::Feedback::NewStub(channel)),
      random_(SeedOf(options_.seed)),
      thread_([this] { Run(); }) {}

absl::Status RewardSender::Worker::Take(Reward reward) {
  absl::Status problem = Check(reward);
  absl::MutexLock lock(&mutex_);
  if (!problem.ok()) {
    ++counts_.invalid;
    return problem;
  }
  if (closing_) {
    return absl::FailedPreconditionError("the reward sender is closed");
  }
  if (queue_.size() + batch_size_ >= options_.capacity) {
    ++counts_.full;
    return absl::ResourceExhaustedError(
        absl::StrCat(options_.capacity,
                     " rewards are waiting for the router already; is it up, "
                     "and is this its address?"));
  }
  queue_.push_back(std::move(reward));
  ++counts_.taken;
  return absl::OkStatus();
}

size_t RewardSender::Worker::Flush(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  const uint64_t mine = counts_.taken;
  const auto is_settled = [this, mine]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return settled_ >= mine;
  };
  ++flushing_;
  mutex_.AwaitWithTimeout(absl::Condition(&is_settled), timeout);
  --flushing_;
  return settled_ >= mine ? 0 : mine - settled_;
}

std::vector<Reward> RewardSender::Worker::Close(absl::Duration timeout) {
  absl::MutexLock closer(&close_mutex_);
  if (!thread_.joinable()) return {};
  {
    absl::MutexLock lock(&mutex_);
    closing_ = true;
    if (!mutex_.AwaitWithTimeout(absl::Condition(this, &Worker::IsDrained),
                                 timeout)) {
      abandoned_ = true;
      if (call_ != nullptr) call_->TryCancel();
    }
  }
  thread_.join();
  absl::MutexLock lock(&mutex_);
  std::vector<Reward> left = std::exchange(batch_, {});
  batch_size_ = 0;
  std::move(queue_.begin(), queue_.end(), std::back_inserter(left));
  queue_.clear();
  counts_.handed_back += left.size();
  settled_ += left.size();
  return left;
}

void RewardSender::Worker::Lose(const std::vector<Reward>& rewards,
                                const absl::Status& why) {
  {
    absl::MutexLock lock(&mutex_);
    counts_.handed_back -= rewards.size();
  }
  for (const Reward& reward : rewards) Lose(reward, why);
}

RewardCounts RewardSender::Worker::counts() const {
  absl::MutexLock lock(&mutex_);
  RewardCounts counts = counts_;
  counts.pending = counts.taken - counts.accepted - counts.duplicate -
                   counts.late - counts.unknown - counts.rejected -
                   counts.lost - counts.handed_back;
  return counts;
}

void RewardSender::Worker::Run() {
  while (Fill() && Deliver()) Finish();
}

bool RewardSender::Worker::Fill() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &Worker::HasWork));
  mutex_.AwaitWithTimeout(absl::Condition(this, &Worker::MustNotLinger),
                          options_.linger);
  if (queue_.empty() || abandoned_) return false;
  const auto size =
      static_cast<std::ptrdiff_t>(std::min(queue_.size(), options_.batch));
  std::move(queue_.begin(), queue_.begin() + size, std::back_inserter(batch_));
  queue_.erase(queue_.begin(), queue_.begin() + size);
  batch_size_ = batch_.size();
  return true;
}

bool RewardSender::Worker::Deliver() {
  const v1::RecordRequest request = ToProto(batch_);
  for (int tries = 1;; ++tries) {
    v1::RecordResponse response;
    grpc::Status status = Call(request, &response);
    if (status.ok() && response.outcomes_size() != request.rewards_size()) {
      status =
          grpc::Status(grpc::StatusCode::DATA_LOSS,
                       absl::StrCat(response.outcomes_size(), " outcomes for ",
                                    request.rewards_size(), " rewards"));
    }
    if (status.ok()) {
      Settle(response);
      return true;
    }
    {
      absl::MutexLock lock(&mutex_);
      if (abandoned_) return false;
    }
    if (!WorthRetrying(status.error_code(), tries)) {
      for (const Reward& reward : batch_) Lose(reward, ToAbsl(status));
      return true;
    }
    if (!Wait(tries)) return false;
  }
}

grpc::Status RewardSender::Worker::Call(const v1::RecordRequest& request,
                                        v1::RecordResponse* response) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + options_.call_timeout));
  for (const auto& [key, value] : options_.metadata) {
    context.AddMetadata(key, value);
  }
  {
    absl::MutexLock lock(&mutex_);
    // A cancel that comes before the call begins ends it all the same.
    call_ = &context;
    if (abandoned_) context.TryCancel();
  }
  grpc::Status status = stub_->Record(&context, request, response);
  absl::MutexLock lock(&mutex_);
  call_ = nullptr;
  return status;
}

bool RewardSender::Worker::Wait(int tries) {
  const double uniform = static_cast<double>(random_() >> 11) * 0x1p-53;
  absl::MutexLock lock(&mutex_);
  ++counts_.retries;
  return !mutex_.AwaitWithTimeout(
      absl::Condition(this, &Worker::IsAbandoned),
      Backoff(tries, options_.first_backoff, options_.max_backoff, uniform));
}

void RewardSender::Worker::Settle(const v1::RecordResponse& response) {
  for (size_t i = 0; i < batch_.size(); ++i) {
    const v1::Outcome outcome = response.outcomes(static_cast<int>(i));
    switch (outcome) {
      case v1::ACCEPTED:
      case v1::DUPLICATE: {
        absl::MutexLock lock(&mutex_);
        ++(outcome == v1::ACCEPTED ? counts_.accepted : counts_.duplicate);
        break;
      }
      case v1::LATE:
      case v1::UNKNOWN:
      case v1::REJECTED:
        Refuse(batch_[i], static_cast<Outcome>(outcome),
               WhyRefused(response, i));
        break;
      default:
        Lose(batch_[i],
             absl::InternalError(absl::StrCat(
                 "the router answered with outcome ", static_cast<int>(outcome),
                 ", which this client does not know")));
    }
  }
}

void RewardSender::Worker::Refuse(const Reward& reward, Outcome outcome,
                                  const std::string& why) {
  uint64_t nth = 0;
  {
    absl::MutexLock lock(&mutex_);
    nth = ++(outcome == Outcome::kLate      ? counts_.late
             : outcome == Outcome::kUnknown ? counts_.unknown
                                            : counts_.rejected);
  }
  if (options_.on_refused) {
    options_.on_refused(reward, outcome, why);
    return;
  }
  Tell(nth, absl::StrCat(Of(reward), " was refused as ", Name(outcome).data()),
       why);
}

void RewardSender::Worker::Lose(const Reward& reward, const absl::Status& why) {
  uint64_t nth = 0;
  {
    absl::MutexLock lock(&mutex_);
    nth = ++counts_.lost;
  }
  if (options_.on_lost) {
    options_.on_lost(reward, why);
    return;
  }
  Tell(nth, Of(reward) + " was lost", why.ToString());
}

void RewardSender::Worker::Finish() {
  absl::MutexLock lock(&mutex_);
  settled_ += batch_.size();
  batch_.clear();
  batch_size_ = 0;
}

}  // namespace bandit::client
