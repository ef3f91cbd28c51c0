// SPDX-License-Identifier: Apache-2.0
#include "bandit/client/reward.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::client {
namespace {

using ::testing::HasSubstr;

constexpr char kToken[] =
    "Ab5kQLABgM3MzMzMzOw_e2jlz4sBAQAAAAAAAAAA0697HV1yXIS9k26L-9bL7w";

std::string Problem(const Reward& reward) {
  return std::string(Check(reward).message());
}

TEST(RewardTest, NeedsATokenOrARequestId) {
  EXPECT_TRUE(Check({kToken, "click", 1, ""}).ok());
  EXPECT_TRUE(Check({kToken, "", 1, ""}).ok());
  EXPECT_TRUE(Check({"", "click", 1, "request-7"}).ok());
  EXPECT_THAT(Problem({"", "click", 1, ""}), HasSubstr("Decision::counted"));
}

// Text that is not UTF-8 would spoil its whole batch at the router.
TEST(RewardTest, WhatTheRouterCannotReadIsFoundHere) {
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_THAT(Problem({kToken, "click", inf, ""}), HasSubstr("not finite"));
  EXPECT_THAT(Problem({"no token", "click", 1, ""}),
              HasSubstr("x-bandit-decision"));
  EXPECT_THAT(Problem({std::string(10000, 'A'), "click", 1, ""}),
              HasSubstr("no decision token"));
  EXPECT_THAT(Problem({kToken, "cl\xff", 1, ""}), HasSubstr("cl\\377"));
  EXPECT_THAT(Problem({kToken, std::string(129, 'm'), 1, ""}),
              HasSubstr("at most 128"));
  EXPECT_THAT(Problem({"", "", 1, "\xff"}), HasSubstr("printable ASCII"));
  EXPECT_THAT(Problem({"", "", 1, std::string(257, 'r')}),
              HasSubstr("at most 256"));
}

// A client may be older than its router.
TEST(RewardTest, ATokenOfAnotherVersionIsTaken) {
  EXPECT_TRUE(Check({"Ag-of_version2", "click", 1, ""}).ok());
}

}  // namespace
}  // namespace bandit::client
