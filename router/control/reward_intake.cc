// SPDX-License-Identifier: Apache-2.0
#include "router/control/reward_intake.h"

#include <memory>
#include <utility>
#include <vector>

#include "router/learning/request_notes.h"

namespace bandit::control {
namespace {

using learning::Outcome;

static_assert(static_cast<int>(Outcome::kAccepted) == v1::ACCEPTED);
static_assert(static_cast<int>(Outcome::kDuplicate) == v1::DUPLICATE);
static_assert(static_cast<int>(Outcome::kLate) == v1::LATE);
static_assert(static_cast<int>(Outcome::kUnknown) == v1::UNKNOWN);
static_assert(static_cast<int>(Outcome::kRejected) == v1::REJECTED);

}  // namespace

std::optional<learning::Reward> RewardIntake::Read(const v1::Reward& reward,
                                                   bool joins_requests) const {
  learning::Reward read{.metric = reward.metric(), .value = reward.value()};
  if (reward.decision().empty() && !reward.request_id().empty()) {
    // No longer id is ever kept.
    if (!joins_requests ||
        reward.request_id().size() > learning::kMaxRequestId) {
      return std::nullopt;
    }
    read.request_id = reward.request_id();
    return read;
  }
  auto decision = signer_->Verify(reward.decision());
  if (!decision.ok()) return std::nullopt;
  read.decision = *std::move(decision);
  return read;
}

void RewardIntake::Record(const v1::RecordRequest& request,
                          v1::RecordResponse* response, Done done) const {
  const int size = request.rewards_size();
  const bool joins_requests = sink_->JoinsRequests();
  std::vector<learning::Reward> rewards;
  rewards.reserve(static_cast<size_t>(size));
  std::vector<int> forged;
  response->clear_outcomes();
  response->mutable_outcomes()->Resize(size, v1::REJECTED);
  for (int i = 0; i < size; ++i) {
    auto reward = Read(request.rewards(i), joins_requests);
    if (reward.has_value()) {
      rewards.push_back(*std::move(reward));
    } else {
      forged.push_back(i);
    }
  }
  const size_t forgeries = forged.size();
  if (rewards.empty()) {
    if (forgeries > 0) sink_->CountForged(forgeries);
    done(absl::OkStatus());
    return;
  }
  // Shared, because a refused Submit has destroyed what it was given.
  auto shared_done = std::make_shared<Done>(std::move(done));
  const absl::Status taken = sink_->Submit(
      std::move(rewards),
      [response, forged = std::move(forged), shared_done,
       sink = sink_](absl::StatusOr<std::vector<Outcome>> outcomes) {
        if (!outcomes.ok()) {
          (*shared_done)(outcomes.status());
          return;
        }
        if (!forged.empty()) sink->CountForged(forged.size());
        // Forged ones keep their place in the order.
        size_t next_forged = 0;
        auto outcome = outcomes->begin();
        for (int i = 0; i < response->outcomes_size(); ++i) {
          if (next_forged < forged.size() && forged[next_forged] == i) {
            ++next_forged;
          } else {
            response->set_outcomes(
                i, static_cast<v1::Outcome>(learning::Index(*outcome++)));
          }
        }
        (*shared_done)(absl::OkStatus());
      });
  if (!taken.ok()) (*shared_done)(taken);
}

}  // namespace bandit::control
