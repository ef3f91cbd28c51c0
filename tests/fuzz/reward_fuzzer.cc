// SPDX-License-Identifier: Apache-2.0
// Any bytes as a RecordRequest: every reward is answered, in order; none that
// names no decision reaches the learner. `T` stands for a genuine token, for a
// fuzzer finds none. The first byte chooses whether rewards are joined by id
// and whether the learner takes them.
#include <google/protobuf/stubs/logging.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bandit/v1/feedback.pb.h"
#include "router/control/reward_intake.h"
#include "router/learning/request_notes.h"
#include "tests/fuzz/check.h"

namespace {

namespace experiment = bandit::experiment;
namespace learning = bandit::learning;

class Sink : public learning::RewardSink {
 public:
  Sink(bool joins, bool refuses) : joins_(joins), refuses_(refuses) {}

  absl::Status Submit(std::vector<learning::Reward> rewards,
                      learning::RewardsDone done) override {
    if (refuses_) return absl::ResourceExhaustedError("full");
    for (const learning::Reward& reward : rewards) {
      FUZZ_CHECK(reward.decision.id == 7 || !reward.request_id.empty());
      FUZZ_CHECK(reward.request_id.empty() || joins_);
      FUZZ_CHECK(reward.request_id.size() <= learning::kMaxRequestId);
    }
    taken = rewards.size();
    done(std::vector<learning::Outcome>(taken, learning::Outcome::kAccepted));
    return absl::OkStatus();
  }
  bool JoinsRequests() const override { return joins_; }
  void CountForged(size_t rewards) override { forged += rewards; }

  size_t taken = 0;
  size_t forged = 0;

 private:
  const bool joins_;
  const bool refuses_;
};

const experiment::TokenSigner& Signer() {
  static const auto& signer = *new experiment::TokenSigner("fuzz");
  return signer;
}

std::string Token() {
  experiment::Decision decision;
  decision.experiment = 1;
  decision.epoch = 1;
  decision.id = 7;
  std::string token;
  Signer().Sign(decision, &token);
  return token;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const google::protobuf::LogSilencer silencer;
  static const std::string& token = *new std::string(Token());
  if (size == 0) return 0;
  bandit::v1::RecordRequest request;
  if (!request.ParseFromArray(data + 1, static_cast<int>(size - 1))) return 0;
  for (auto& reward : *request.mutable_rewards()) {
    if (reward.decision() == "T") reward.set_decision(token);
  }
  Sink sink(data[0] & 1, data[0] & 2);
  const bandit::control::RewardIntake intake(&Signer(), &sink);
  bandit::v1::RecordResponse response;
  int done = 0;
  absl::Status status;
  intake.Record(request, &response, [&](const absl::Status& how) {
    ++done;
    status = how;
  });
  FUZZ_CHECK(done == 1);
  if (!status.ok()) {
    FUZZ_CHECK(data[0] & 2);
    FUZZ_CHECK(sink.taken == 0 && sink.forged == 0);
    return 0;
  }
  FUZZ_CHECK(response.outcomes_size() == request.rewards_size());
  FUZZ_CHECK(sink.taken + sink.forged ==
             static_cast<size_t>(request.rewards_size()));
  size_t accepted = 0;
  for (int i = 0; i < response.outcomes_size(); ++i) {
    const bool ok = response.outcomes(i) == bandit::v1::ACCEPTED;
    FUZZ_CHECK(ok || response.outcomes(i) == bandit::v1::REJECTED);
    if (request.rewards(i).decision() == token) FUZZ_CHECK(ok);
    accepted += ok;
  }
  FUZZ_CHECK(accepted == sink.taken);
  return 0;
}
