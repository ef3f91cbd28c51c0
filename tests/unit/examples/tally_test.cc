// SPDX-License-Identifier: Apache-2.0
#include "examples/demo/tally.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::demo {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;

constexpr Device kScanner = Device::kScanner;
constexpr Device kCamera = Device::kCamera;

void Reward(Tally* tally, size_t arm, Device device, int right, int wrong) {
  for (int i = 0; i < right; ++i) tally->Rewarded(arm, device, 1, v1::ACCEPTED);
  for (int i = 0; i < wrong; ++i) tally->Rewarded(arm, device, 0, v1::ACCEPTED);
}

TEST(TallyTest, OnlyAcceptedRewardsCountTowardsAnArm) {
  Tally tally(2);
  tally.Rewarded(0, kScanner, 1, v1::ACCEPTED);
  tally.Rewarded(0, kScanner, 1, v1::DUPLICATE);
  tally.Rewarded(0, kCamera, 0, v1::ACCEPTED);
  tally.Rewarded(1, kCamera, 1, v1::REJECTED);
  EXPECT_EQ(tally.Arm(0).rewards, 2u);
  EXPECT_EQ(tally.Arm(0).mean(), 0.5);
  EXPECT_EQ(tally.Arm(1).rewards, 0u);
  EXPECT_EQ(tally.Arm(1).mean(), 0);
  EXPECT_EQ(tally.outcomes(v1::ACCEPTED), 2u);
  EXPECT_EQ(tally.outcomes(v1::DUPLICATE), 1u);
  EXPECT_EQ(tally.outcomes(v1::REJECTED), 1u);
  EXPECT_EQ(tally.outcomes(v1::LATE), 0u);
}

TEST(TallyTest, SharesAreOfTheAskedTimeAndDevice) {
  Tally tally(2);
  const absl::Duration ms = absl::Milliseconds(5);
  tally.Served(0, kScanner, absl::Seconds(0.1), ms);
  tally.Served(1, kScanner, absl::Seconds(1.1), ms);
  tally.Served(1, kScanner, absl::Seconds(1.2), ms);
  tally.Served(0, kCamera, absl::Seconds(1.9), ms);
  const absl::Duration end = absl::InfiniteDuration();
  EXPECT_THAT(tally.Shares(absl::ZeroDuration(), end), ElementsAre(0.5, 0.5));
  EXPECT_THAT(tally.Shares(absl::ZeroDuration(), absl::Seconds(1)),
              ElementsAre(1, 0));
  EXPECT_THAT(tally.Shares(absl::Seconds(1), end, kScanner), ElementsAre(0, 1));
  EXPECT_THAT(tally.Shares(absl::Seconds(5), end), ElementsAre(0, 0));
  EXPECT_EQ(tally.served(), 4u);
  EXPECT_EQ(tally.cell(0, kCamera).served, 1u);
}

TEST(TallyTest, LatencyIsPerArm) {
  Tally tally(2);
  for (int i = 1; i <= 100; ++i) {
    tally.Served(0, kScanner, absl::ZeroDuration(), absl::Milliseconds(i));
  }
  EXPECT_NEAR(absl::ToDoubleMilliseconds(tally.Latency(0, 0.5)), 50, 0.5);
  EXPECT_NEAR(absl::ToDoubleMilliseconds(tally.Latency(0, 0.99)), 99, 1);
  EXPECT_EQ(tally.Latency(1, 0.5), absl::ZeroDuration());
}

TEST(TallyTest, RemembersTheFirstFailure) {
  Tally tally(1);
  EXPECT_EQ(tally.first_failure(), "");
  tally.Failed("a");
  tally.Failed("b");
  EXPECT_EQ(tally.failed(), 2u);
  EXPECT_EQ(tally.first_failure(), "a");
}

// A contextual policy gives arm 1 almost only camera pictures, on which it is
// right. Its own mean says 0.9; what it would earn of all traffic is little.
TEST(TallyTest, AnArmsValueIsWeightedByTheDevicesOfAllTraffic) {
  Tally tally(2);
  Reward(&tally, 0, kScanner, 60, 0);
  Reward(&tally, 0, kCamera, 0, 10);
  Reward(&tally, 1, kScanner, 0, 10);
  Reward(&tally, 1, kCamera, 20, 0);
  // 70 scanner rewards, 30 camera rewards.
  EXPECT_THAT(tally.Value(0)->mean, DoubleEq(0.7));
  EXPECT_THAT(tally.Value(1)->mean, DoubleEq(0.3));
  EXPECT_THAT(tally.Arm(1).mean(), DoubleEq(2.0 / 3));
}

TEST(TallyTest, TheErrorOfAValueIsThatOfItsMeans) {
  Tally tally(1);
  Reward(&tally, 0, kScanner, 30, 10);
  const double p = 31.0 / 42;
  EXPECT_THAT(tally.Value(0)->standard_error,
              DoubleEq(std::sqrt(p * (1 - p) / 40)));
  EXPECT_THAT(tally.Value(0, kScanner)->standard_error,
              DoubleEq(tally.Value(0)->standard_error));
}

// Nothing is made up for what was not seen.
TEST(TallyTest, AnArmThatNeverSawADeviceHasNoValue) {
  Tally tally(2);
  EXPECT_FALSE(tally.Value(0).has_value());
  Reward(&tally, 0, kScanner, 5, 5);
  Reward(&tally, 1, kCamera, 5, 5);
  EXPECT_FALSE(tally.Value(0).has_value());
  EXPECT_TRUE(tally.Value(0, kScanner).has_value());
  EXPECT_FALSE(tally.Value(0, kCamera).has_value());
}

}  // namespace
}  // namespace bandit::demo
