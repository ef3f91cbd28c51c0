// SPDX-License-Identifier: Apache-2.0
// A reward on its way to the ledger, and what became of it.
#ifndef BANDIT_ROUTER_LEARNING_REWARD_H_
#define BANDIT_ROUTER_LEARNING_REWARD_H_

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "router/experiment/decision.h"

namespace bandit::learning {

// The numbers are those of bandit.v1.Outcome and of the stored counts.
enum class Outcome {
  kAccepted = 1,
  kDuplicate = 2,
  kLate = 3,
  kUnknown = 4,
  kRejected = 5,
};
inline constexpr size_t kOutcomes = 6;  // 0 stays unused.

constexpr size_t Index(Outcome outcome) { return static_cast<size_t>(outcome); }

// As in bandit.v1.Outcome: "ACCEPTED".
constexpr std::string_view Name(Outcome outcome) {
  constexpr std::array<std::string_view, kOutcomes> kNames = {
      "OUTCOME_UNSPECIFIED",
      "ACCEPTED",
      "DUPLICATE",
      "LATE",
      "UNKNOWN",
      "REJECTED"};
  return kNames[Index(outcome)];
}

// Its decision is known, since its token has been verified; or the id of the
// decision's request is, and the learner has to find the decision.
struct Reward {
  experiment::Decision decision;
  std::string metric;  // Empty: the experiment's reward metric.
  double value = 0;
  // Empty: `decision` is known.
  std::string request_id = {};
};

// Why one reward of a batch does not count.
struct Refusal {
  size_t reward = 0;  // Its place in the batch.
  std::string why;
};
// A batch that is refused as a whole says why of so many: the rest will be
// alike, and an answer stays small.
inline constexpr size_t kMostRefusals = 16;

// What became of a batch.
struct Settled {
  Settled() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): all of it, mostly.
  Settled(std::vector<Outcome> each) : outcomes(std::move(each)) {}

  std::vector<Outcome> outcomes;  // In the batch's order.
  // Of those that are LATE, UNKNOWN or REJECTED, the first kMostRefusals.
  std::vector<Refusal> refusals;
};

constexpr bool IsRefusal(Outcome outcome) {
  return outcome == Outcome::kLate || outcome == Outcome::kUnknown ||
         outcome == Outcome::kRejected;
}

// What became of the batch, once it is durable; or why nothing of it was
// taken.
using RewardsDone = std::function<void(absl::StatusOr<Settled> settled)>;

// Where the feedback service puts rewards.
// Thread-safety: any thread may call.
class RewardSink {
 public:
  virtual ~RewardSink() = default;

  // Takes the whole batch and calls `done` later, on any thread, or fails at
  // once and takes nothing: ResourceExhausted if the queue is full,
  // Unavailable if the router is stopping.
  virtual absl::Status Submit(std::vector<Reward> rewards,
                              RewardsDone done) = 0;

  // Whether it finds decisions by the ids of their requests. A reward that
  // needs it and comes just after a reload has turned it off is UNKNOWN.
  virtual bool JoinsRequests() const = 0;

  // Rewards that name no decision never get here, but are counted: a token
  // that is forged or damaged, or no token where requests are not joined.
  virtual void CountForged(size_t rewards) = 0;
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_REWARD_H_
