// SPDX-License-Identifier: Apache-2.0
#include "router/learning/request_join.h"

#include <algorithm>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/learning/test_plan.h"

namespace bandit::learning {
namespace {

using bandit::testing::ExperimentSpec;
using bandit::testing::MakeDecision;
using bandit::testing::MakePlan;
using ::testing::Eq;
using ::testing::Optional;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
constexpr size_t kRoom = 1 << 20;

class RequestJoinTest : public ::testing::Test {
 protected:
  RequestJoinTest() { Configure(absl::Minutes(30), kRoom); }

  void Configure(absl::Duration window, size_t memory, absl::Time now = kNow) {
    join_.Configure(
        experiment::Join{
            .metadata = "x-request-id", .window = window, .memory = memory},
        now);
  }
  experiment::Decision At(absl::Time time, uint64_t id) {
    return MakeDecision(*plan_, 0, 1, absl::ToUnixMillis(time), id);
  }
  // One worker's harvest at `now`, with a decision of then.
  void Add(std::string_view id, absl::Time now, uint64_t decision) {
    RequestNotes notes(kRoom);
    notes.Add(id, At(now, decision));
    join_.Add(std::move(notes), now);
  }
  // Harvests of 100 requests each: r0, r1, ...
  void AddMany(int from, int to) {
    for (int i = from; i < to; i += 100) {
      RequestNotes notes(kRoom);
      for (int k = i; k < std::min(to, i + 100); ++k) {
        notes.Add(fmt::format("r{}", k), At(kNow, static_cast<uint64_t>(k)));
      }
      join_.Add(std::move(notes), kNow);
    }
  }

  std::shared_ptr<const experiment::Plan> plan_ = MakePlan({ExperimentSpec{}});
  RequestJoin join_;
};

TEST_F(RequestJoinTest, TheWholeDecisionIsFoundByTheIdOfItsRequest) {
  experiment::Decision decision = MakeDecision(
      *plan_, 0, 1, absl::ToUnixMillis(kNow), 42, 0.1 + 0.2, {1, 0, -2.5F});
  decision.unit = 7;
  RequestNotes notes(kRoom);
  notes.Add("first", At(kNow, 1));
  notes.Add("second", decision);
  join_.Add(std::move(notes), kNow);
  EXPECT_THAT(join_.Find("second", kNow), Optional(Eq(decision)));
  EXPECT_THAT(join_.Find("first", kNow), Optional(Eq(At(kNow, 1))));
  EXPECT_EQ(join_.Find("third", kNow), std::nullopt);
  EXPECT_EQ(join_.Find("", kNow), std::nullopt);
  EXPECT_EQ(join_.Find("secon", kNow), std::nullopt);
  EXPECT_EQ(join_.entries(), 2u);
}

TEST_F(RequestJoinTest, AnIdIsBytesAndNeedNotBeText) {
  const std::string odd("\0\xff\n", 3);
  Add(odd, kNow, 5);
  EXPECT_THAT(join_.Find(odd, kNow), Optional(Eq(At(kNow, 5))));
  EXPECT_EQ(join_.Find(std::string("\0\xff", 2), kNow), std::nullopt);
}

TEST_F(RequestJoinTest, AnIdIsKnownUntilItsWindowHasPassed) {
  Add("a", kNow, 1);
  Add("b", kNow + absl::Minutes(10), 2);
  const absl::Time last = kNow + absl::Minutes(30);
  EXPECT_TRUE(join_.Find("a", last).has_value());
  EXPECT_FALSE(join_.Find("a", last + absl::Milliseconds(1)).has_value());
  EXPECT_TRUE(join_.Find("b", last + absl::Milliseconds(1)).has_value());
  // A harvest, though it brings nothing, makes room; that is no drop.
  const size_t before = join_.bytes();
  join_.Add(RequestNotes(), last + absl::Milliseconds(1));
  EXPECT_EQ(join_.entries(), 1u);
  EXPECT_LT(join_.bytes(), before);
  join_.Add(RequestNotes(), last + absl::Hours(1));
  EXPECT_EQ(join_.entries(), 0u);
  EXPECT_EQ(join_.dropped(), 0u);
}

TEST_F(RequestJoinTest, OfTwoRequestsWithOneIdTheLaterHasIt) {
  Add("a", kNow, 1);
  Add("a", kNow + absl::Minutes(20), 2);
  EXPECT_EQ(join_.entries(), 1u);
  // The former's note goes with its window, the id stays.
  const absl::Time later = kNow + absl::Minutes(40);
  join_.Add(RequestNotes(), later);
  EXPECT_THAT(join_.Find("a", later),
              Optional(Eq(At(kNow + absl::Minutes(20), 2))));
}

// Workers are harvested one after the other, and a stuck one late.
TEST_F(RequestJoinTest, TheLaterRequestHasTheIdWhicheverIsHarvestedFirst) {
  Add("a", kNow + absl::Seconds(1), 2);
  RequestNotes late(kRoom);
  late.Add("a", At(kNow, 1));
  join_.Add(std::move(late), kNow + absl::Seconds(2));
  EXPECT_EQ(join_.Find("a", kNow + absl::Seconds(2))->id, 2u);
  // Of one millisecond: the one that comes later.
  Add("b", kNow, 3);
  Add("b", kNow, 4);
  EXPECT_EQ(join_.Find("b", kNow)->id, 4u);
}

TEST_F(RequestJoinTest, TheOldestAreDroppedForMemoryAndCounted) {
  constexpr int kMany = 50'000;
  for (int i = 0; i < kMany; i += 100) {
    AddMany(i, i + 100);
    ASSERT_LE(join_.bytes(), kRoom);
  }
  EXPECT_EQ(join_.entries() + join_.dropped(), uint64_t{kMany});
  // It is put to use: see the reference for what an entry takes.
  EXPECT_GT(join_.entries(), kRoom / 130);
  const int oldest = kMany - static_cast<int>(join_.entries());
  EXPECT_FALSE(join_.Find(fmt::format("r{}", oldest - 1), kNow).has_value());
  EXPECT_TRUE(join_.Find(fmt::format("r{}", oldest), kNow).has_value());
  EXPECT_TRUE(join_.Find(fmt::format("r{}", kMany - 1), kNow).has_value());
}

TEST_F(RequestJoinTest, FeaturesAndLongIdsCountAsMuchAsTheyTake) {
  RequestNotes notes(kRoom);
  notes.Add(std::string(200, 'i'),
            MakeDecision(*plan_, 0, 0, absl::ToUnixMillis(kNow), 1, 0.5,
                         std::vector<float>(256, 0.5F)));
  join_.Add(std::move(notes), kNow);
  EXPECT_GT(join_.bytes(), 200 + 256 * sizeof(float));
}

TEST_F(RequestJoinTest, LessMemoryOnAReloadDropsTheOldestAndGivesItBack) {
  Configure(absl::Minutes(30), 16 << 20);
  AddMany(0, 100'000);
  ASSERT_EQ(join_.entries(), 100'000u);
  Configure(absl::Minutes(30), kRoom);
  EXPECT_LE(join_.bytes(), kRoom);
  EXPECT_GT(join_.entries(), kRoom / 200);
  EXPECT_EQ(join_.entries() + join_.dropped(), 100'000u);
  EXPECT_TRUE(join_.Find("r99999", kNow).has_value());
  EXPECT_FALSE(join_.Find("r0", kNow).has_value());
}

TEST_F(RequestJoinTest, AShorterWindowOnAReloadHoldsAtOnce) {
  Add("a", kNow, 1);
  Configure(absl::Minutes(1), kRoom, kNow + absl::Minutes(5));
  EXPECT_EQ(join_.entries(), 0u);
}

TEST_F(RequestJoinTest, OffItKnowsAndTakesNothing) {
  Add("a", kNow, 1);
  join_.Configure(std::nullopt, kNow);
  EXPECT_FALSE(join_.on());
  EXPECT_FALSE(join_.Find("a", kNow).has_value());
  Add("b", kNow, 2);
  EXPECT_FALSE(join_.Find("b", kNow).has_value());
  EXPECT_EQ(join_.entries(), 0u);
  EXPECT_EQ(join_.bytes(), 0u);
}

TEST_F(RequestJoinTest, WhatTheWorkersDidNotKeepIsCounted) {
  RequestNotes notes(100);
  notes.Add(std::string(kMaxRequestId + 1, 'x'), At(kNow, 1));
  notes.Add("", At(kNow, 2));
  notes.Add("kept", At(kNow, 3));
  for (uint64_t i = 0; i < 5; ++i) notes.Add("no room", At(kNow, i));
  join_.Add(std::move(notes), kNow);
  EXPECT_EQ(join_.too_long(), 1u);
  EXPECT_GE(join_.dropped(), 4u);
  EXPECT_TRUE(join_.Find("kept", kNow).has_value());
  EXPECT_LE(join_.entries(), 2u);
  Add(std::string(kMaxRequestId, 'x'), kNow, 4);
  EXPECT_TRUE(join_.Find(std::string(kMaxRequestId, 'x'), kNow).has_value());
}

}  // namespace
}  // namespace bandit::learning
