// SPDX-License-Identifier: Apache-2.0
#include "bandit/client/backoff.h"

#include "gtest/gtest.h"

namespace bandit::client {
namespace {

constexpr absl::Duration kFirst = absl::Milliseconds(100);
constexpr absl::Duration kMost = absl::Seconds(10);

TEST(BackoffTest, DoublesFromTheFirstWaitUpToTheLongest) {
  // `uniform` = 0 is half of the full wait.
  EXPECT_EQ(Backoff(1, kFirst, kMost, 0), absl::Milliseconds(50));
  EXPECT_EQ(Backoff(2, kFirst, kMost, 0), absl::Milliseconds(100));
  EXPECT_EQ(Backoff(7, kFirst, kMost, 0), absl::Milliseconds(3200));
  EXPECT_EQ(Backoff(8, kFirst, kMost, 0), absl::Seconds(5));
  EXPECT_EQ(Backoff(1'000'000, kFirst, kMost, 0), absl::Seconds(5));
}

TEST(BackoffTest, JitterTakesUpToHalfOff) {
  EXPECT_EQ(Backoff(1, kFirst, kMost, 0.5), absl::Milliseconds(75));
  EXPECT_LT(Backoff(1, kFirst, kMost, 0x1.fffffffffffffp-1),
            absl::Milliseconds(100) + absl::Nanoseconds(1));
}

TEST(BackoffTest, ARouterThatIsAwayFullOrSlowIsAlwaysTriedAgain) {
  for (const auto code :
       {grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::RESOURCE_EXHAUSTED,
        grpc::StatusCode::DEADLINE_EXCEEDED}) {
    EXPECT_TRUE(WorthRetrying(code, 1));
    EXPECT_TRUE(WorthRetrying(code, 1'000'000));
  }
}

TEST(BackoffTest, WhatIsRefusedForWhatItIsIsNot) {
  for (const auto code :
       {grpc::StatusCode::UNAUTHENTICATED, grpc::StatusCode::PERMISSION_DENIED,
        grpc::StatusCode::UNIMPLEMENTED, grpc::StatusCode::INVALID_ARGUMENT,
        grpc::StatusCode::DATA_LOSS}) {
    EXPECT_FALSE(WorthRetrying(code, 1));
  }
}

TEST(BackoffTest, AnUnknownCauseIsTriedAFewTimes) {
  EXPECT_TRUE(WorthRetrying(grpc::StatusCode::UNKNOWN, 1));
  EXPECT_FALSE(WorthRetrying(grpc::StatusCode::UNKNOWN, 8));
}

}  // namespace
}  // namespace bandit::client
