// SPDX-License-Identifier: Apache-2.0
// The thread of a RewardSender, and the queue before it. Not installed.
#ifndef BANDIT_CLIENT_REWARD_WORKER_H_
#define BANDIT_CLIENT_REWARD_WORKER_H_

#include <deque>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bandit/client/reward_sender.h"
#include "bandit/v1/feedback.grpc.pb.h"

namespace bandit::client {

// One batch is under way at a time, so rewards get their outcomes in the order
// in which they were taken; Flush counts on that.
class RewardSender::Worker {
 public:
  Worker(const std::shared_ptr<grpc::ChannelInterface>& channel,
         RewardSenderOptions options);

  absl::Status Take(Reward reward);
  size_t Flush(absl::Duration timeout);
  std::vector<Reward> Close(absl::Duration timeout);
  // For what Close handed back and nobody is there to take.
  void Lose(const std::vector<Reward>& rewards, const absl::Status& why);
  RewardCounts counts() const;
  absl::Duration close_timeout() const { return options_.close_timeout; }

 private:
  // What a thread may wait for.
  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return !queue_.empty() || closing_;
  }
  bool MustNotLinger() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return queue_.size() >= options_.batch || flushing_ > 0 || closing_;
  }
  bool IsDrained() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return queue_.empty() && batch_size_ == 0;
  }
  bool IsAbandoned() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return abandoned_;
  }

  void Run();
  // The next batch; false at the end.
  bool Fill() ABSL_LOCKS_EXCLUDED(mutex_);
  // Tries until there is an outcome for the batch; false if abandoned.
  bool Deliver();
  grpc::Status Call(const v1::RecordRequest& request,
                    v1::RecordResponse* response) ABSL_LOCKS_EXCLUDED(mutex_);
  // After a failed call; false if abandoned meanwhile.
  bool Wait(int tries) ABSL_LOCKS_EXCLUDED(mutex_);
  void Settle(const v1::RecordResponse& response);
  void Refuse(const Reward& reward, Outcome outcome, const std::string& why);
  void Lose(const Reward& reward, const absl::Status& why);
  // The batch has its outcomes.
  void Finish() ABSL_LOCKS_EXCLUDED(mutex_);

  const RewardSenderOptions options_;
  const std::unique_ptr<v1::Feedback::StubInterface> stub_;
  // The thread's own until it has ended, then Close's.
  std::vector<Reward> batch_;
  std::mt19937_64 random_;

  mutable absl::Mutex mutex_;
  std::deque<Reward> queue_ ABSL_GUARDED_BY(mutex_);
  // Of batch_, which this thread's own code reads without the lock.
  size_t batch_size_ ABSL_GUARDED_BY(mutex_) = 0;
  RewardCounts counts_ ABSL_GUARDED_BY(mutex_);
  // Rewards taken that have an outcome.
  uint64_t settled_ ABSL_GUARDED_BY(mutex_) = 0;
  int flushing_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  // Close's time is over: no more tries.
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
  // Of the call under way.
  grpc::ClientContext* call_ ABSL_GUARDED_BY(mutex_) = nullptr;

  // Held by the one Close that joins the thread.
  absl::Mutex close_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  std::thread thread_ ABSL_GUARDED_BY(close_mutex_);
};

}  // namespace bandit::client

#endif  // BANDIT_CLIENT_REWARD_WORKER_H_
