// SPDX-License-Identifier: Apache-2.0
// The demo's service: asks for inferences through the router, checks the
// answers, and sends the rewards.
#ifndef BANDIT_EXAMPLES_DEMO_SESSION_H_
#define BANDIT_EXAMPLES_DEMO_SESSION_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "bandit/v1/admin.grpc.pb.h"
#include "examples/demo/call_loop.h"
#include "examples/demo/reward_sender.h"
#include "examples/demo/screen.h"
#include "examples/demo/tally.h"
#include "examples/demo/workload.h"
#include "examples/digits/dataset.h"
#include "inference/grpc_predict_v2.grpc.pb.h"

namespace bandit::demo {

struct SessionInput {
  // The router's data port, for inferences, rewards and status alike.
  std::string address;
  absl::Duration traffic;
  // No reward is due later than this after its response.
  absl::Duration longest_reward_delay;
  // The arms' names, which are the model versions that the servers report.
  std::vector<std::string> arms;
  // By Device: the same samples as each device sees them.
  std::vector<digits::Samples> pictures;
  // Told of each good response, if set: when its request was sent (since the
  // run began) and how long it took.
  std::function<void(absl::Duration sent, absl::Duration latency)> on_served =
      nullptr;
};

// Thread-safety: none; one thread does all of it.
// Ownership: borrows the workload and the tally.
class Session {
 public:
  Session(SessionInput input, Workload* workload, Tally* tally);

  // Sends traffic for input.traffic, or until `stop`; then waits until every
  // request is answered and every reward acknowledged, at most ten seconds
  // longer than the longest reward delay.
  // `watch` is called every few milliseconds; its error ends the session.
  // Fails with Aborted when so many requests fail that going on is pointless.
  absl::Status Run(const std::atomic<bool>& stop,
                   const std::function<absl::Status(const View&)>& watch);

  // How long requests were sent.
  absl::Duration traffic() const { return traffic_; }
  uint64_t rewards_open() const { return rewards_.waiting() + rewards_.lost(); }
  uint64_t rewards_retried() const { return rewards_.retried(); }
  // The router's last answer; nullopt if there was none.
  const std::optional<v1::ExperimentStatus>& router() const { return router_; }

 private:
  struct InferCall;
  struct StatusCall;

  View Now(absl::Time now) const;
  void SendRequest(absl::Time now);
  void OnResponse(const InferCall& call);
  // Why the response is no good; empty if it is.
  std::string Check(const InferCall& call, size_t* arm, int* digit);
  void PollStatus(absl::Time now);
  // Polls until the router has learned from every acknowledged reward.
  void AwaitLearned();

  const SessionInput input_;
  Workload* const workload_;
  Tally* const tally_;
  CallLoop loop_;
  std::vector<std::unique_ptr<inference::GRPCInferenceService::Stub>> stubs_;
  std::shared_ptr<grpc::Channel> control_;
  std::unique_ptr<v1::Admin::Stub> admin_;
  RewardSender rewards_;
  std::optional<v1::ExperimentStatus> router_;
  absl::Time start_;
  absl::Time next_request_;
  absl::Time next_poll_;
  absl::Duration traffic_;
  Request upcoming_;
  uint64_t requests_ = 0;
  uint64_t in_flight_ = 0;
  bool polling_ = false;
};

}  // namespace bandit::demo

#endif  // BANDIT_EXAMPLES_DEMO_SESSION_H_
