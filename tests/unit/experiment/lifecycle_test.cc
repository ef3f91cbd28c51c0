// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/lifecycle.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::experiment {
namespace {

TEST(LifecycleTest, AllowsTheTransitionsOfTheDrawingAndNoOther) {
  const std::map<std::pair<State, Act>, State> allowed = {
      {{State::kDraft, Act::kStart}, State::kRunning},
      {{State::kRunning, Act::kPause}, State::kPaused},
      {{State::kRunning, Act::kRamp}, State::kRunning},
      {{State::kPaused, Act::kResume}, State::kRunning},
      {{State::kRolledBack, Act::kResume}, State::kRunning},
      {{State::kConcluded, Act::kResume}, State::kRunning},
      {{State::kRunning, Act::kRollBack}, State::kRolledBack},
      {{State::kPaused, Act::kRollBack}, State::kRolledBack},
      {{State::kConcluded, Act::kRollBack}, State::kRolledBack},
      {{State::kRunning, Act::kPromote}, State::kConcluded},
      {{State::kPaused, Act::kPromote}, State::kConcluded},
      {{State::kRolledBack, Act::kPromote}, State::kConcluded},
      {{State::kRunning, Act::kConclude}, State::kConcluded},
      {{State::kPaused, Act::kConclude}, State::kConcluded},
      {{State::kRolledBack, Act::kConclude}, State::kConcluded},
      {{State::kRunning, Act::kReset}, State::kRunning},
      {{State::kPaused, Act::kReset}, State::kPaused},
      {{State::kRolledBack, Act::kReset}, State::kRolledBack},
  };
  for (size_t s = 0; s < std::size(kStates); ++s) {
    for (size_t a = 0; a < std::size(kActs); ++a) {
      const auto state = static_cast<State>(s);
      const auto act = static_cast<Act>(a);
      SCOPED_TRACE(std::string(Name(state)) + " " + std::string(Name(act)));
      const auto next = Next(state, act);
      const auto it = allowed.find({state, act});
      ASSERT_EQ(next.ok(), it != allowed.end());
      if (next.ok()) {
        EXPECT_EQ(*next, it->second);
      } else {
        EXPECT_EQ(next.status().code(), absl::StatusCode::kFailedPrecondition);
      }
    }
  }
}

TEST(LifecycleTest, ARefusalSaysFromWhereTheActIsPossible) {
  EXPECT_EQ(std::string(Next(State::kDraft, Act::kResume).status().message()),
            "it is draft, and resume is for one that is paused or rolled_back "
            "or concluded");
}

const std::vector<RampStage> kRamp = {
    {.share = 0.05, .lasts = absl::Minutes(10)},
    {.share = 0.2, .lasts = absl::Hours(1)},
    {.share = 0.5, .lasts = absl::InfiniteDuration()}};

TEST(RampTest, LetsInTheStagesShareAndAllAfterTheLast) {
  EXPECT_EQ(ShareOf(kRamp, {.stage = 0}), 0.05);
  EXPECT_EQ(ShareOf(kRamp, {.stage = 2}), 0.5);
  EXPECT_EQ(ShareOf(kRamp, {.stage = 3}), 1);
  EXPECT_EQ(ShareOf({}, {}), 1);
}

TEST(RampTest, AStageIsOverWhenItHasLastedUnlessItStays) {
  EXPECT_FALSE(
      StageIsOver(kRamp, {0, absl::Minutes(10) - absl::Nanoseconds(1)}));
  EXPECT_TRUE(StageIsOver(kRamp, {0, absl::Minutes(10)}));
  EXPECT_FALSE(StageIsOver(kRamp, {2, absl::Hours(100'000)}));
  EXPECT_FALSE(StageIsOver(kRamp, {3, absl::Hours(1)}));
  EXPECT_FALSE(StageIsOver({}, {}));
}

// Whatever is edited, the share does not grow by it.
TEST(RampTest, AnEditNeverLetsUnitsIn) {
  const RampProgress second{1, absl::Minutes(30)};
  EXPECT_EQ(FitRamp(kRamp, second, 0.2), second);
  // Longer stages, the same shares: it goes on.
  std::vector<RampStage> longer = kRamp;
  longer[1].lasts = absl::Hours(9);
  EXPECT_EQ(FitRamp(longer, second, 0.2), second);
  // A stage was put in between: the last one that lets in no more.
  const std::vector<RampStage> finer = {{0.01, absl::Minutes(1)},
                                        {0.1, absl::Minutes(1)},
                                        {0.3, absl::Minutes(1)}};
  EXPECT_EQ(FitRamp(finer, second, 0.2), (RampProgress{1, {}}));
  // All stages let in more: the first.
  EXPECT_EQ(FitRamp(finer, {}, 0.001), (RampProgress{0, {}}));
  // Taken away while all were in.
  EXPECT_EQ(FitRamp({}, {3, {}}, 1), (RampProgress{0, {}}));
  for (double share = 0.01; share <= 1; share += 0.01) {
    const RampProgress fitting = FitRamp(finer, second, share);
    if (fitting.stage > 0) {
      EXPECT_LE(ShareOf(finer, fitting), share);
    }
  }
}

}  // namespace
}  // namespace bandit::experiment
