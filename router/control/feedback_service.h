// SPDX-License-Identifier: Apache-2.0
// bandit.v1.Feedback: rewards in, outcomes out, once they are durable.
#ifndef BANDIT_ROUTER_CONTROL_FEEDBACK_SERVICE_H_
#define BANDIT_ROUTER_CONTROL_FEEDBACK_SERVICE_H_

#include "bandit/v1/feedback.grpc.pb.h"
#include "router/control/reward_intake.h"

namespace bandit::control {

// Calls that wait for the learner hold no thread. A stream may have a few
// requests under way; answers keep their order, and a request that is refused
// ends the stream with its status after the answers before it.
// Ownership: as RewardIntake.
class FeedbackService final : public v1::Feedback::CallbackService {
 public:
  FeedbackService(const experiment::TokenSigner* signer,
                  learning::RewardSink* sink)
      : intake_(signer, sink) {}

  grpc::ServerUnaryReactor* Record(grpc::CallbackServerContext* context,
                                   const v1::RecordRequest* request,
                                   v1::RecordResponse* response) override;

  grpc::ServerBidiReactor<v1::RecordRequest, v1::RecordResponse>* Stream(
      grpc::CallbackServerContext* context) override;

 private:
  RewardIntake intake_;
};

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_FEEDBACK_SERVICE_H_
