// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/segments.h"

#include "gtest/gtest.h"

namespace bandit::experiment {
namespace {

const std::vector<Segment> kSegments = {
    {.name = "device", .key = "x-device", .values = {"ios", "web"}},
    {.name = "plan", .key = "x-plan", .values = {"free", "paid", "trial"}}};

uint32_t Encode(const std::vector<http2::Header>& headers) {
  return EncodeSegments(kSegments, headers);
}

TEST(SegmentsTest, EveryPairOfValuesHasItsNumber) {
  EXPECT_EQ(Encode({}), 0u);
  EXPECT_EQ(Encode({{"x-device", "ios"}}), 1u);
  EXPECT_EQ(Encode({{"x-device", "web"}}), 2u);
  EXPECT_EQ(Encode({{"x-plan", "free"}}), 3u);
  EXPECT_EQ(Encode({{"x-device", "web"}, {"x-plan", "trial"}}), 2u + 3 * 3);
}

TEST(SegmentsTest, WhatIsNotListedIsOther) {
  EXPECT_EQ(Encode({{"x-device", "IOS"}, {"x-plan", ""}}), 0u);
}

TEST(CovariateTest, IsReadAsANumber) {
  const Covariate covariate{.key = "x-prior", .missing = 7};
  const auto read = [&](const std::vector<http2::Header>& headers) {
    return ReadCovariate(covariate, headers);
  };
  EXPECT_EQ(read({{"x-prior", "2.5"}}), 2.5F);
  EXPECT_EQ(read({{"x-prior", "-3e2"}}), -300);
  for (const char* absurd : {"", "x", "1x", "nan", "inf", "1e999", " 1"}) {
    EXPECT_EQ(read({{"x-prior", absurd}}), 7) << absurd;
  }
  EXPECT_EQ(read({}), 7);
}

}  // namespace
}  // namespace bandit::experiment
