// SPDX-License-Identifier: Apache-2.0
// A client that sends rewards, remembers what became of each, and notices an
// answer that cannot be.
#ifndef BANDIT_TESTS_INTEGRATION_DURABILITY_REWARD_LOAD_H_
#define BANDIT_TESTS_INTEGRATION_DURABILITY_REWARD_LOAD_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "bandit/v1/feedback.grpc.pb.h"
#include "router/experiment/token.h"

namespace bandit::testing {

// Makes decisions of its own, which needs the router's token key. All of the
// experiment's epoch and metric are as given.
// Thread-safety: none; one thread a load.
class RewardLoad {
 public:
  struct Target {
    std::string token_key;
    std::string experiment;
    uint32_t epoch = 1;
    uint32_t arms = 2;
    std::string metric;
  };

  // Loads of one test need different seeds: ids are drawn from it.
  RewardLoad(const Target& target, uint64_t seed)
      : target_(target), signer_(target.token_key), random_(seed) {}

  // Sends random batches, one after the other, new rewards and old ones, until
  // a call fails. Adds what was answered to `answered` as it goes.
  void SendUntilItFails(v1::Feedback::StubInterface& stub,
                        std::atomic<uint64_t>* answered);

  // Sends every reward again. False if a call failed.
  bool SendAllAgain(v1::Feedback::StubInterface& stub);

  // Rewards made, and the sum of their values, by arm.
  uint64_t count(uint32_t arm) const;
  double sum(uint32_t arm) const;
  // Rewards that were sent and never answered.
  uint64_t unanswered() const;
  // Answers that cannot be, in words.
  const std::vector<std::string>& contradictions() const {
    return contradictions_;
  }

 private:
  struct Sent {
    std::string token;
    uint32_t arm = 0;
    double value = 0;
    bool asked = false;  // Perhaps taken: sent at least once.
    bool acknowledged = false;
  };

  void Make();
  bool Send(v1::Feedback::StubInterface& stub,
            const std::vector<size_t>& batch);

  const Target target_;
  const experiment::TokenSigner signer_;
  std::mt19937_64 random_;
  std::vector<Sent> sent_;
  std::vector<std::string> contradictions_;
};

}  // namespace bandit::testing

#endif  // BANDIT_TESTS_INTEGRATION_DURABILITY_REWARD_LOAD_H_
