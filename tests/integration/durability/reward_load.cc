// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/durability/reward_load.h"

#include <chrono>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "router/experiment/plan.h"

namespace bandit::testing {

void RewardLoad::Make() {
  experiment::Decision decision;
  decision.experiment = experiment::ExperimentId(target_.experiment);
  decision.epoch = target_.epoch;
  decision.arm = static_cast<uint32_t>(random_() % target_.arms);
  decision.propensity = 0.5;
  decision.time_ms = absl::ToUnixMillis(absl::Now());
  decision.id = random_();
  decision.unit = decision.id;
  Sent& sent = sent_.emplace_back();
  signer_.Sign(decision, &sent.token);
  sent.arm = decision.arm;
  sent.value = static_cast<double>(random_() % 2);
}

void RewardLoad::SendUntilItFails(v1::Feedback::StubInterface& stub,
                                  std::atomic<uint64_t>* answered) {
  std::vector<size_t> batch;
  do {
    *answered += batch.size();
    batch.clear();
    for (size_t n = 1 + random_() % 50; n > 0; --n) {
      if (!sent_.empty() && random_() % 5 == 0) {
        batch.push_back(random_() % sent_.size());
      } else {
        Make();
        batch.push_back(sent_.size() - 1);
      }
    }
  } while (Send(stub, batch));
}

bool RewardLoad::SendAllAgain(v1::Feedback::StubInterface& stub) {
  std::vector<size_t> batch;
  for (size_t i = 0; i < sent_.size(); ++i) {
    batch.push_back(i);
    if (batch.size() == 500 || i + 1 == sent_.size()) {
      if (!Send(stub, batch)) return false;
      batch.clear();
    }
  }
  return true;
}

bool RewardLoad::Send(v1::Feedback::StubInterface& stub,
                      const std::vector<size_t>& batch) {
  v1::RecordRequest request;
  for (const size_t i : batch) {
    v1::Reward* reward = request.add_rewards();
    reward->set_decision(sent_[i].token);
    reward->set_metric(target_.metric);
    reward->set_value(sent_[i].value);
  }
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::seconds(30));
  context.set_wait_for_ready(false);
  v1::RecordResponse response;
  if (!stub.Record(&context, request, &response).ok()) {
    for (const size_t i : batch) sent_[i].asked = true;
    return false;
  }
  if (response.outcomes_size() != static_cast<int>(batch.size())) {
    contradictions_.push_back("not one outcome a reward");
    return false;
  }
  for (size_t k = 0; k < batch.size(); ++k) {
    Sent& sent = sent_[batch[k]];
    const v1::Outcome outcome = response.outcomes(static_cast<int>(k));
    const bool possible = outcome == v1::DUPLICATE
                              ? sent.asked
                              : outcome == v1::ACCEPTED && !sent.acknowledged;
    if (!possible) {
      contradictions_.push_back(fmt::format(
          "reward {} is {}, though it was {}", batch[k],
          v1::Outcome_Name(outcome),
          sent.acknowledged ? "acknowledged"
                            : (sent.asked ? "sent" : "never sent")));
    }
    sent.asked = true;
    sent.acknowledged = true;
  }
  return true;
}

uint64_t RewardLoad::count(uint32_t arm) const {
  uint64_t count = 0;
  for (const Sent& sent : sent_) count += sent.arm == arm;
  return count;
}

double RewardLoad::sum(uint32_t arm) const {
  double sum = 0;
  for (const Sent& sent : sent_) sum += sent.arm == arm ? sent.value : 0;
  return sum;
}

uint64_t RewardLoad::unanswered() const {
  uint64_t unanswered = 0;
  for (const Sent& sent : sent_) unanswered += !sent.acknowledged;
  return unanswered;
}

}  // namespace bandit::testing
