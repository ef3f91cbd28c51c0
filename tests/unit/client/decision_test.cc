// SPDX-License-Identifier: Apache-2.0
#include "bandit/client/decision.h"

#include "bandit/client/hashing.h"
#include "bandit/client/token.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Of experiment `ranker`, from tests/vectors/client.json.
constexpr char kOfRanker[] =
    "Ab5kQLABgM3MzMzMzOw_e2jlz4sBAQAAAAAAAAAA0697HV1yXIS9k26L-9bL7w";

TEST(DecisionTest, TheTokenIsOfRanker) {
  const auto fields = ReadToken(kOfRanker);
  ASSERT_TRUE(fields.ok()) << fields.status();
  EXPECT_EQ(fields->experiment, ExperimentId("ranker"));
}

TEST(DecisionTest, NoHeadersAreNoDecision) {
  EXPECT_THAT(ReadDecisions(Metadata{{"x-other", "1"}}), IsEmpty());
}

TEST(DecisionTest, OneExperiment) {
  EXPECT_THAT(ReadDecisions(Metadata{{"x-bandit-decision", kOfRanker},
                                     {"x-bandit-experiment", "ranker"},
                                     {"x-bandit-arm", "control"}}),
              ElementsAre(Decision{kOfRanker, "ranker", "control", ""}));
}

TEST(DecisionTest, OverlaysFollowTheMainOneInOrder) {
  // The tokens need not be readable as long as each experiment has one.
  EXPECT_THAT(ReadDecisions(Metadata{{"x-bandit-decision", "first"},
                                     {"x-bandit-decision", "second"},
                                     {"x-bandit-experiment", "model"},
                                     {"x-bandit-experiment", "prompt"},
                                     {"x-bandit-arm", "old"},
                                     {"x-bandit-arm", "short"}}),
              ElementsAre(Decision{"first", "model", "old", ""},
                          Decision{"second", "prompt", "short", ""}));
}

// A draft or a held-out unit: there is an arm, and nothing to reward.
TEST(DecisionTest, ARequestThatIsNotCountedSaysWhy) {
  const Decisions decisions =
      ReadDecisions(Metadata{{"x-bandit-uncounted", "holdout"},
                             {"x-bandit-experiment", "ranker"},
                             {"x-bandit-arm", "control"}});
  ASSERT_THAT(decisions,
              ElementsAre(Decision{"", "ranker", "control", "holdout"}));
  EXPECT_FALSE(decisions[0].counted());
}

// One token for two experiments: it must not be given to the first by order.
TEST(DecisionTest, ATokenGoesToTheExperimentThatItIsOf) {
  EXPECT_THAT(ReadDecisions(Metadata{{"x-bandit-uncounted", "paused"},
                                     {"x-bandit-decision", kOfRanker},
                                     {"x-bandit-experiment", "model"},
                                     {"x-bandit-experiment", "ranker"},
                                     {"x-bandit-arm", "old"},
                                     {"x-bandit-arm", "new"}}),
              ElementsAre(Decision{"", "model", "old", "paused"},
                          Decision{kOfRanker, "ranker", "new", ""}));
}

}  // namespace
}  // namespace bandit::client
