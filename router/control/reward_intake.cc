// SPDX-License-Identifier: Apache-2.0
#include "router/control/reward_intake.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "router/learning/request_notes.h"

namespace bandit::control {
namespace {

using learning::Outcome;

static_assert(static_cast<int>(Outcome::kAccepted) == v1::ACCEPTED);
static_assert(static_cast<int>(Outcome::kDuplicate) == v1::DUPLICATE);
static_assert(static_cast<int>(Outcome::kLate) == v1::LATE);
static_assert(static_cast<int>(Outcome::kUnknown) == v1::UNKNOWN);
static_assert(static_cast<int>(Outcome::kRejected) == v1::REJECTED);

// Rewards that never get to the learner, by their places in the request.
struct Forged {
  std::vector<int> places;
  std::vector<learning::Refusal> refusals;  // Of the first.

  void Add(int place, const absl::Status& why) {
    places.push_back(place);
    if (refusals.size() < learning::kMostRefusals) {
      refusals.push_back(
          {static_cast<size_t>(place), std::string(why.message())});
    }
  }
};

// Puts what the learner found of the others between them, in order.
void Merge(const Forged& forged, const learning::Settled& settled,
           v1::RecordResponse* response) {
  auto next_forged = forged.places.begin();
  auto outcome = settled.outcomes.begin();
  auto theirs = settled.refusals.begin();
  auto ours = forged.refusals.begin();
  const auto refuse = [&](int place, const std::string& why) {
    if (response->refusals_size() >=
        static_cast<int>(learning::kMostRefusals)) {
      return;
    }
    v1::Refusal* refusal = response->add_refusals();
    refusal->set_reward(static_cast<uint32_t>(place));
    refusal->set_why(why);
  };
  size_t in_batch = 0;
  for (int i = 0; i < response->outcomes_size(); ++i) {
    if (next_forged != forged.places.end() && *next_forged == i) {
      ++next_forged;
      if (ours != forged.refusals.end()) refuse(i, (ours++)->why);
      continue;
    }
    response->set_outcomes(i,
                           static_cast<v1::Outcome>(learning::Index(*outcome)));
    ++outcome;
    if (theirs != settled.refusals.end() && theirs->reward == in_batch) {
      refuse(i, (theirs++)->why);
    }
    ++in_batch;
  }
}

}  // namespace

absl::StatusOr<learning::Reward> RewardIntake::Read(const v1::Reward& reward,
                                                    bool joins_requests) const {
  learning::Reward read{.metric = reward.metric(), .value = reward.value()};
  if (!reward.decision().empty()) {
    auto decision = signer_->Verify(reward.decision());
    if (!decision.ok()) return decision.status();
    read.decision = *std::move(decision);
    return read;
  }
  if (reward.request_id().empty()) {
    return absl::InvalidArgumentError(
        "the reward names no decision, expected the x-bandit-decision of its "
        "response");
  }
  if (!joins_requests) {
    return absl::InvalidArgumentError(
        "the reward names its decision by a request id, for which the config "
        "needs a `join`");
  }
  // No longer id is ever kept.
  if (reward.request_id().size() > learning::kMaxRequestId) {
    return absl::InvalidArgumentError(
        fmt::format("the request id has {} bytes, expected {} at most",
                    reward.request_id().size(), learning::kMaxRequestId));
  }
  read.request_id = reward.request_id();
  return read;
}

void RewardIntake::Record(const v1::RecordRequest& request,
                          v1::RecordResponse* response, Done done) const {
  const int size = request.rewards_size();
  const bool joins_requests = sink_->JoinsRequests();
  std::vector<learning::Reward> rewards;
  rewards.reserve(static_cast<size_t>(size));
  Forged forged;
  response->Clear();
  response->mutable_outcomes()->Resize(size, v1::REJECTED);
  for (int i = 0; i < size; ++i) {
    auto reward = Read(request.rewards(i), joins_requests);
    if (reward.ok()) {
      rewards.push_back(*std::move(reward));
    } else {
      forged.Add(i, reward.status());
    }
  }
  if (rewards.empty()) {
    if (size > 0) sink_->CountForged(static_cast<size_t>(size));
    Merge(forged, {}, response);
    done(absl::OkStatus());
    return;
  }
  // Shared, because a refused Submit has destroyed what it was given.
  auto shared_done = std::make_shared<Done>(std::move(done));
  const absl::Status taken = sink_->Submit(
      std::move(rewards),
      [response, forged = std::move(forged), shared_done,
       sink = sink_](const absl::StatusOr<learning::Settled>& settled) {
        if (!settled.ok()) {
          (*shared_done)(settled.status());
          return;
        }
        if (!forged.places.empty()) sink->CountForged(forged.places.size());
        Merge(forged, *settled, response);
        (*shared_done)(absl::OkStatus());
      });
  if (!taken.ok()) (*shared_done)(taken);
}

}  // namespace bandit::control
