// SPDX-License-Identifier: Apache-2.0
#include "router/learning/waiting_rewards.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/learning/test_plan.h"

namespace bandit::learning {
namespace {

using bandit::testing::ExperimentSpec;
using bandit::testing::MakeDecision;
using bandit::testing::MakePlan;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class WaitingRewardsTest : public ::testing::Test {
 protected:
  WaitingRewardsTest() {
    join_.Configure(bandit::testing::JoinByRequestId(), kNow);
  }

  experiment::Decision Decision(uint64_t id) {
    return MakeDecision(*plan_, 0, 0, absl::ToUnixMillis(kNow), id);
  }
  Reward ByToken(uint64_t id) { return {.decision = Decision(id)}; }
  static Reward ByRequest(const std::string& id) { return {.request_id = id}; }
  void Note(const std::string& id, uint64_t decision) {
    RequestNotes notes(1 << 20);
    notes.Add(id, Decision(decision));
    join_.Add(std::move(notes), kNow);
  }
  // One batch, which waits, if it has to, for the harvest of that number.
  void Add(std::vector<Reward> rewards, uint64_t harvest,
           absl::Time now = kNow) {
    std::vector<RewardBatch> batches;
    batches.push_back({.rewards = std::move(rewards), .done = {}});
    waiting_.Add(std::move(batches), join_, harvest, now);
  }
  // The ids of the decisions of what is ready, batch by batch; 0: unknown.
  std::vector<std::vector<uint64_t>> Ready(size_t most = SIZE_MAX) {
    std::vector<std::vector<uint64_t>> ready;
    for (const RewardBatch& batch : waiting_.Take(most)) {
      std::vector<uint64_t>& ids = ready.emplace_back();
      for (const Reward& reward : batch.rewards) {
        ids.push_back(reward.request_id.empty() ? reward.decision.id : 0);
      }
    }
    return ready;
  }

  std::shared_ptr<const experiment::Plan> plan_ = MakePlan({ExperimentSpec{}});
  RequestJoin join_;
  WaitingRewards waiting_;
};

TEST_F(WaitingRewardsTest, WhatIsKnownGoesOnAtOnce) {
  Note("a", 1);
  Add({ByRequest("a"), ByToken(2)}, 1);
  EXPECT_TRUE(waiting_.has_ready());
  EXPECT_THAT(Ready(), ElementsAre(ElementsAre(1, 2)));
  EXPECT_FALSE(waiting_.has_ready());
}

// The reward was quicker than the harvest.
TEST_F(WaitingRewardsTest, AnIdThatIsNotThereYetIsWaitedFor) {
  Add({ByToken(1), ByRequest("a"), ByToken(3)}, 8);
  EXPECT_THAT(Ready(), IsEmpty());
  waiting_.Resolve(join_, 7, kNow);
  EXPECT_THAT(Ready(), IsEmpty());
  Note("a", 2);
  waiting_.Resolve(join_, 7, kNow);
  EXPECT_THAT(Ready(), ElementsAre(ElementsAre(1, 2, 3)));
  EXPECT_EQ(waiting_.given_up(), 0u);
}

TEST_F(WaitingRewardsTest, AnIdThatTheHarvestDidNotBringIsGivenUp) {
  Note("a", 1);
  Add({ByRequest("made up"), ByRequest("a"), ByRequest("x")}, 8);
  waiting_.Resolve(join_, 7, kNow);
  EXPECT_THAT(Ready(), IsEmpty());
  waiting_.Resolve(join_, 8, kNow);
  EXPECT_THAT(Ready(), ElementsAre(ElementsAre(0, 1, 0)));
  EXPECT_EQ(waiting_.given_up(), 2u);
}

TEST_F(WaitingRewardsTest, OthersOvertakeTheOneThatWaits) {
  Add({ByRequest("a")}, 8);
  Add({ByToken(1)}, 8);
  Add({ByRequest("b")}, 9);
  Add({ByToken(2)}, 9);
  EXPECT_THAT(Ready(), ElementsAre(ElementsAre(1), ElementsAre(2)));
  Note("b", 3);
  waiting_.Resolve(join_, 7, kNow);
  EXPECT_THAT(Ready(), ElementsAre(ElementsAre(3)));
  waiting_.Resolve(join_, 8, kNow);
  EXPECT_THAT(Ready(), ElementsAre(ElementsAre(0)));
}

TEST_F(WaitingRewardsTest, AWorkerThatDoesNotAnswerIsWaitedForAMinute) {
  Add({ByRequest("a")}, 8);
  waiting_.Resolve(join_, 7, kNow + absl::Minutes(1));
  EXPECT_THAT(Ready(), IsEmpty());
  waiting_.Resolve(join_, 7, kNow + absl::Minutes(1) + absl::Milliseconds(1));
  EXPECT_THAT(Ready(), ElementsAre(ElementsAre(0)));
}

TEST_F(WaitingRewardsTest, NothingIsWaitedForWhereRequestsAreNotJoined) {
  Add({ByRequest("a")}, 8);
  join_.Configure(std::nullopt, kNow);
  waiting_.Resolve(join_, 0, kNow);
  Add({ByRequest("b")}, 8);
  EXPECT_THAT(Ready(), ElementsAre(ElementsAre(0), ElementsAre(0)));
  EXPECT_EQ(waiting_.given_up(), 2u);
}

TEST_F(WaitingRewardsTest, ATransactionTakesNoMoreThanItIsToldTo) {
  for (uint64_t i = 1; i <= 3; ++i) Add({ByToken(i), ByToken(i)}, 1);
  EXPECT_THAT(Ready(5), ElementsAre(ElementsAre(1, 1), ElementsAre(2, 2)));
  EXPECT_TRUE(waiting_.has_ready());
  EXPECT_THAT(Ready(1), ElementsAre(ElementsAre(3, 3)));
}

}  // namespace
}  // namespace bandit::learning
