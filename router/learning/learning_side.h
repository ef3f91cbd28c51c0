// SPDX-License-Identifier: Apache-2.0
// The learning side, put together from a config: store, epochs, plan, token
// key, learner.
#ifndef BANDIT_ROUTER_LEARNING_LEARNING_SIDE_H_
#define BANDIT_ROUTER_LEARNING_LEARNING_SIDE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bandit/v1/config.pb.h"
#include "router/experiment/token.h"
#include "router/learning/clock.h"
#include "router/learning/learner.h"

namespace bandit::learning {

//   auto side = LearningSide::Open(config, clock);
//   ... make the workers with (*side)->learner().snapshot() and a signer() ...
//   (*side)->learner().Start(ports);
//   ... serve; (*side)->Adopt(new_config) on a reload ...
//   (*side)->learner().Stop();      // While the workers still run.
//
// Thread-safety: Adopt from one thread; the accessors from any.
class LearningSide {
 public:
  // REQUIRES: `config` passed config::Load. `clock` is borrowed.
  // Fails if the state cannot be opened or read (see store::Open) or the
  // config cannot be compiled; the message says which and how to mend it.
  static absl::StatusOr<std::unique_ptr<LearningSide>> Open(
      const v1::RouterConfig& config, const Clock* clock);

  // Goes on with another config, keeping what was learned of experiments whose
  // epoch stays. Blocks for the learner; requests and rewards go on. `state`
  // and `token_key` keep their values until a restart.
  // Fails as CompilePlan or the store does, and changes nothing then.
  absl::Status Adopt(const v1::RouterConfig& config);

  Learner& learner() { return *learner_; }
  const experiment::TokenSigner& signer() const { return signer_; }

 private:
  LearningSide(experiment::TokenSigner signer, std::unique_ptr<Learner> learner)
      : signer_(signer), learner_(std::move(learner)) {}

  experiment::TokenSigner signer_;
  std::unique_ptr<Learner> learner_;
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_LEARNING_SIDE_H_
