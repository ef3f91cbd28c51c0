// SPDX-License-Identifier: Apache-2.0
// Rewards to the real router: what it says to each, and what happens while it
// is down.
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/integration/client_cpp/router_case.h"

namespace bandit::client {
namespace {

using ::bandit::testing::kLong;
using ::bandit::testing::kTokenKey;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

using RewardsTest = ::bandit::testing::RouterCase;

TEST_F(RewardsTest, TheRouterSaysWhatItDoesNotCount) {
  std::vector<std::pair<std::string, std::string>> refused;
  RewardSenderOptions options;
  options.on_refused = [&](const Reward& reward, Outcome outcome,
                           std::string_view why) {
    refused.emplace_back(reward.metric, Name(outcome));
    if (reward.metric == "undeclared") {
      EXPECT_THAT(why, HasSubstr("no metric \"undeclared\", expected "));
    }
  };
  const auto client = MakeClient(options);
  RewardSender& rewards = client->rewards();
  const absl::Time now = absl::Now();
  const auto send = [&](const std::string& token, const std::string& metric) {
    ASSERT_TRUE(rewards.Send(Reward{token, metric, 1, ""}).ok());
  };
  std::string genuine;
  {
    const Scope scope(Subject().Unit("user-7"));
    Infer(*client);
    genuine = scope.decision().token;
  }
  send(genuine, "click");
  send(genuine, "click");
  // All but its key as a token must be.
  send(Sign(kTokenKey, genuine, now), "click");
  send(genuine, "undeclared");
  send(Sign("another key", genuine, now), "click");
  send(Sign(kTokenKey, genuine, now - absl::Hours(1)), "click");
  send(Sign(kTokenKey, genuine, now, "gone"), "click");
  ASSERT_TRUE(rewards.Send(Reward{"", "click", 1, "never-seen"}).ok());
  EXPECT_EQ(rewards.Flush(kLong), 0u);
  const RewardCounts counts = rewards.counts();
  EXPECT_EQ(counts.accepted, 2u);
  EXPECT_EQ(counts.duplicate, 1u);
  EXPECT_EQ(counts.rejected, 2u);
  EXPECT_EQ(counts.late, 1u);
  EXPECT_EQ(counts.unknown, 2u);
  EXPECT_THAT(refused, UnorderedElementsAre(
                           Pair("undeclared", "REJECTED"),
                           Pair("click", "REJECTED"), Pair("click", "LATE"),
                           Pair("click", "UNKNOWN"), Pair("click", "UNKNOWN")));
}

TEST_F(RewardsTest, ARewardGoesByRequestIdToo) {
  const auto client = MakeClient();
  const Scope scope(Subject().Unit("u").Feature("x-request-id", "request-7"));
  Infer(*client);
  RewardSender& rewards = client->rewards();
  ASSERT_TRUE(rewards.Send(Reward{"", "click", 1, "request-7"}).ok());
  EXPECT_EQ(rewards.Flush(kLong), 0u);
  EXPECT_EQ(rewards.counts().accepted, 1u);
  EXPECT_TRUE(Shows("ranker", 1));
}

TEST_F(RewardsTest, RewardsWaitForARouterThatIsDown) {
  constexpr int kRewards = 300;
  const auto client = MakeClient();
  std::vector<std::string> tokens;
  for (int i = 0; i < kRewards; ++i) {
    const Scope scope(Subject().Unit(fmt::format("user-{}", i)));
    Infer(*client);
    tokens.push_back(scope.decision().token);
  }
  RewardSender& rewards = client->rewards();
  for (int i = 0; i < kRewards; ++i) {
    // In the midst of it: some are durable, some under way, some to come.
    if (i == kRewards / 2) router_->Kill();
    ASSERT_TRUE(rewards.Send(Reward{tokens[i], "click", 1, ""}).ok());
  }
  EXPECT_GT(rewards.Flush(absl::Milliseconds(300)), 0u);
  EXPECT_GT(rewards.counts().retries, 0u);
  ASSERT_NO_FATAL_FAILURE(Start());
  EXPECT_EQ(rewards.Flush(kLong), 0u);
  const RewardCounts counts = rewards.counts();
  EXPECT_EQ(counts.accepted + counts.duplicate, uint64_t{kRewards});
  EXPECT_THAT(rewards.Close(kLong), IsEmpty());
  // And again: each was counted once.
  const auto again = MakeClient();
  for (const std::string& token : tokens) {
    ASSERT_TRUE(again->rewards().Send(Reward{token, "click", 1, ""}).ok());
  }
  EXPECT_EQ(again->rewards().Flush(kLong), 0u);
  EXPECT_EQ(again->rewards().counts().duplicate, uint64_t{kRewards});
}

}  // namespace
}  // namespace bandit::client
