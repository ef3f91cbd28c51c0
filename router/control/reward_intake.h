// SPDX-License-Identifier: Apache-2.0
// From a RecordRequest to the learner's queue and back.
#ifndef BANDIT_ROUTER_CONTROL_REWARD_INTAKE_H_
#define BANDIT_ROUTER_CONTROL_REWARD_INTAKE_H_

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bandit/v1/feedback.pb.h"
#include "router/experiment/token.h"
#include "router/learning/reward.h"

namespace bandit::control {

// Verifies tokens on the caller's thread, so that the learner does not. Where
// requests are joined, a reward without a token goes on with its request's id.
// Thread-safety: any thread may call.   Ownership: borrows both.
class RewardIntake {
 public:
  RewardIntake(const experiment::TokenSigner* signer,
               learning::RewardSink* sink)
      : signer_(signer), sink_(sink) {}

  using Done = std::function<void(const absl::Status& status)>;

  // Answers every reward of `request` in `response`, which must live until
  // `done` is called: once, here or on another thread. Not OK: nothing of the
  // request was taken, as RewardSink::Submit says or because the state could
  // not be written. `request` is not used after the return.
  void Record(const v1::RecordRequest& request, v1::RecordResponse* response,
              Done done) const;

 private:
  // Fails with InvalidArgument, and says why, if it names no decision.
  absl::StatusOr<learning::Reward> Read(const v1::Reward& reward,
                                        bool joins_requests) const;

  const experiment::TokenSigner* signer_;
  learning::RewardSink* sink_;
};

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_REWARD_INTAKE_H_
