// SPDX-License-Identifier: Apache-2.0
#include "router/learning/settlement.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::learning {
namespace {

using ::testing::ElementsAre;

// Batches of these sizes; their answers, by batch.
class SettlementTest : public ::testing::Test {
 protected:
  void Settle(const std::vector<size_t>& sizes,
              const std::vector<Outcome>& outcomes) {
    answers_.resize(sizes.size());
    std::vector<RewardBatch> batches;
    for (size_t b = 0; b < sizes.size(); ++b) {
      batches.push_back({.rewards = std::vector<Reward>(sizes[b]),
                         .done = [this, b](absl::StatusOr<Settled> settled) {
                           answers_[b] = *std::move(settled);
                         }});
    }
    std::vector<size_t> ends;
    Gather(absl::MakeSpan(batches), &ends);
    std::vector<Verdict> verdicts;
    for (const Outcome outcome : outcomes) {
      verdicts.emplace_back().outcome = outcome;
    }
    Answer(absl::MakeSpan(batches), ends, verdicts, [this](size_t i) {
      asked_.push_back(i);
      return std::to_string(i);
    });
  }

  std::vector<Settled> answers_;
  std::vector<size_t> asked_;
};

TEST_F(SettlementTest, EachBatchHearsOfItsOwnRefusalsByItsOwnPlaces) {
  Settle({2, 0, 3}, {Outcome::kAccepted, Outcome::kLate, Outcome::kDuplicate,
                     Outcome::kRejected, Outcome::kUnknown});
  EXPECT_THAT(answers_[0].outcomes,
              ElementsAre(Outcome::kAccepted, Outcome::kLate));
  ASSERT_EQ(answers_[0].refusals.size(), 1u);
  EXPECT_EQ(answers_[0].refusals[0].reward, 1u);
  EXPECT_EQ(answers_[0].refusals[0].why, "1");
  EXPECT_TRUE(answers_[1].refusals.empty());
  ASSERT_EQ(answers_[2].refusals.size(), 2u);
  EXPECT_EQ(answers_[2].refusals[0].reward, 1u);
  EXPECT_EQ(answers_[2].refusals[0].why, "3");
  EXPECT_EQ(answers_[2].refusals[1].reward, 2u);
  // What counts is not explained.
  EXPECT_THAT(asked_, ElementsAre(1, 3, 4));
}

TEST_F(SettlementTest, ABatchThatIsAllRefusedIsExplainedInPart) {
  const size_t size = 10 * kMostRefusals;
  Settle({size}, std::vector<Outcome>(size, Outcome::kRejected));
  EXPECT_EQ(answers_[0].outcomes.size(), size);
  EXPECT_EQ(answers_[0].refusals.size(), kMostRefusals);
  EXPECT_EQ(asked_.size(), kMostRefusals);
}

}  // namespace
}  // namespace bandit::learning
