// SPDX-License-Identifier: Apache-2.0
#include "router/upstream/outlier.h"

#include <gtest/gtest.h>

namespace bandit::upstream {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class OutlierTest : public ::testing::Test {
 protected:
  // Ejects it at `now` and lets the time pass; how many seconds it took,
  // without the jitter, which is checked.
  int64_t EjectFor(int64_t* now, int64_t expected) {
    outlier.Eject(options, *now, random);
    const int64_t length = outlier.until_ns() - *now;
    EXPECT_GE(length, expected * kSecond);
    EXPECT_LE(length, expected * kSecond * 11 / 10);
    EXPECT_FALSE(outlier.Return(outlier.until_ns() - 1));
    *now = outlier.until_ns();
    EXPECT_TRUE(outlier.Return(*now));
    EXPECT_FALSE(outlier.ejected());
    return length;
  }

  OutlierOptions options{.consecutive_failures = 3,
                         .base_ejection_ns = 10 * kSecond,
                         .max_ejection_ns = 60 * kSecond,
                         .max_share = 0.5};
  Outlier outlier;
  std::mt19937_64 random{1};
};

TEST_F(OutlierTest, OnlyFailuresInARowCount) {
  EXPECT_FALSE(outlier.OnFailed(options));
  EXPECT_FALSE(outlier.OnFailed(options));
  outlier.OnAnswered();
  EXPECT_FALSE(outlier.OnFailed(options));
  EXPECT_FALSE(outlier.OnFailed(options));
  EXPECT_TRUE(outlier.OnFailed(options));
}

TEST_F(OutlierTest, NoneIsEnoughIfItIsOff) {
  options.consecutive_failures = 0;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(outlier.OnFailed(options));
}

TEST_F(OutlierTest, FailuresWhileEjectedEjectNoMore) {
  outlier.Eject(options, 0, random);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(outlier.OnFailed(options));
}

TEST_F(OutlierTest, EachEjectionTakesTwiceAsLongUpToTheLongest) {
  int64_t now = 1000 * kSecond;
  for (const int64_t seconds : {10, 20, 40, 60, 60}) EjectFor(&now, seconds);
}

TEST_F(OutlierTest, TimeWithoutAnEjectionTakesDoublingsBack) {
  int64_t now = 1000 * kSecond;
  for (const int64_t seconds : {10, 20, 40}) EjectFor(&now, seconds);
  now += 41 * kSecond;  // One span of 40 s.
  EjectFor(&now, 40);
  now += 1000 * kSecond;
  EjectFor(&now, 10);
}

TEST_F(OutlierTest, EjectionsThatBeganTogetherDoNotEndTogether) {
  Outlier other;
  outlier.Eject(options, 0, random);
  other.Eject(options, 0, random);
  EXPECT_NE(outlier.until_ns(), other.until_ns());
}

TEST_F(OutlierTest, AtMostTheShareIsOutButOneMayBeIfThereAreOthers) {
  const struct {
    size_t ejected;
    size_t endpoints;
    double share;
    bool may;
  } cases[] = {
      {0, 1, 1, false},  // The only one stays.
      {0, 2, 0.5, true},  {1, 2, 0.5, false}, {0, 3, 0.1, true},
      {0, 3, 0, true},    {1, 3, 0.5, false}, {1, 4, 0.5, true},
      {2, 4, 0.5, false}, {3, 4, 1, true},
  };
  for (const auto& c : cases) {
    options.max_share = c.share;
    EXPECT_EQ(MayEject(c.ejected, c.endpoints, options), c.may)
        << c.ejected << " of " << c.endpoints << " at " << c.share;
  }
}

}  // namespace
}  // namespace bandit::upstream
