// SPDX-License-Identifier: Apache-2.0
// Sends rewards to the router: each when it is due, many in one call.
#ifndef BANDIT_EXAMPLES_DEMO_REWARD_SENDER_H_
#define BANDIT_EXAMPLES_DEMO_REWARD_SENDER_H_

#include <cstdint>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "bandit/v1/feedback.grpc.pb.h"
#include "examples/demo/call_loop.h"
#include "examples/demo/tally.h"
#include "examples/demo/workload.h"

namespace bandit::demo {

struct DueReward {
  absl::Time due;
  // The response's x-bandit-decision.
  std::string decision;
  size_t arm = 0;
  Device device = Device::kScanner;
  double value = 0;
  // How often it was refused.
  int refused = 0;
};

// Rewards that the router refused for now (RESOURCE_EXHAUSTED, UNAVAILABLE:
// nothing was taken) are sent again a little later; what it answers otherwise
// is final and goes to the tally.
// Thread-safety: none.   Ownership: borrows all pointers.
class RewardSender {
 public:
  RewardSender(const std::shared_ptr<grpc::Channel>& channel, CallLoop* loop,
               Tally* tally);

  void Add(DueReward reward);
  // Sends what is due, in batches.
  void SendDue(absl::Time now);
  // Waits for no delay from now on: all goes with the next SendDue.
  void HurryUp() { hurry_ = true; }

  // Waiting, or sent without an answer yet.
  uint64_t waiting() const { return waiting_.size() + sent_; }
  // Given up: the router's answer was an error, or it refused too often.
  uint64_t lost() const { return lost_; }
  uint64_t retried() const { return retried_; }
  // When SendDue will next have something to do.
  absl::Time next() const;

 private:
  struct Later {
    bool operator()(const DueReward& a, const DueReward& b) const {
      return a.due > b.due;
    }
  };
  struct RecordCall;

  void SendBatch(std::vector<DueReward> batch);
  void OnAnswer(RecordCall* call);

  const std::unique_ptr<v1::Feedback::Stub> stub_;
  CallLoop* const loop_;
  Tally* const tally_;
  std::priority_queue<DueReward, std::vector<DueReward>, Later> waiting_;
  absl::Time last_sent_ = absl::InfinitePast();
  bool hurry_ = false;
  uint64_t sent_ = 0;
  uint64_t lost_ = 0;
  uint64_t retried_ = 0;
};

}  // namespace bandit::demo

#endif  // BANDIT_EXAMPLES_DEMO_REWARD_SENDER_H_
