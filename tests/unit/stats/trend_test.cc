// SPDX-License-Identifier: Apache-2.0
#include "stats/trend.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/stats/estimates.h"

namespace bandit::stats {
namespace {

// statsmodels 0.13.5: WLS with known variances, errors not rescaled.
std::vector<DayEffect> Fading() {
  const std::vector<double> lift = {0.08, 0.07,  0.065, 0.05, 0.045,
                                    0.04, 0.035, 0.03,  0.03, 0.025};
  const std::vector<double> error = {0.012, 0.011, 0.01,  0.01, 0.01,
                                     0.009, 0.009, 0.009, 0.01, 0.01};
  std::vector<DayEffect> days;
  for (size_t i = 0; i < lift.size(); ++i) {
    days.push_back({static_cast<double>(i + 1), {lift[i], error[i]}});
  }
  return days;
}

TEST(TrendTest, MatchesStatsmodels) {
  const TrendReport r = TestTrend(Fading(), 5, {});
  EXPECT_NEAR(r.slope.value, -0.005959614709356005, 1e-12);
  EXPECT_NEAR(r.intercept, 0.07934615305479997, 1e-12);
  EXPECT_NEAR(r.slope.standard_error, 0.001152120610798435, 1e-12);
  EXPECT_NEAR(r.slope.p, 2.306919733329943e-07, 1e-15);
  EXPECT_NEAR(r.early, 0.06047631137967805, 1e-12);
  EXPECT_NEAR(r.late, 0.03237012987012987, 1e-12);
  EXPECT_NEAR(r.contrast.value / r.contrast.standard_error, 4.463435720711472,
              1e-9);
  EXPECT_NEAR(r.contrast.p, 8.065580231032075e-06, 1e-14);
  EXPECT_EQ(r.trend, Trend::kFalling);
}

TEST(TrendTest, TheMirroredEffectRises) {
  std::vector<DayEffect> days = Fading();
  for (DayEffect& d : days) d.effect.value = -d.effect.value;
  EXPECT_EQ(TestTrend(days, 5, {}).trend, Trend::kRising);
}

TEST(TrendTest, ASteadyEffectIsNoTrend) {
  std::vector<DayEffect> days = Fading();
  for (DayEffect& d : days) d.effect.value = 0.05;
  const TrendReport r = TestTrend(days, 5, {});
  EXPECT_EQ(r.trend, Trend::kNone);
  EXPECT_NEAR(r.slope.p, 1, 1e-9);
  EXPECT_NEAR(r.intercept, 0.05, 1e-12);
}

// Both signs must be there: a single wild last day bends the line, and does not
// move the late mean enough.
TEST(TrendTest, TheSlopeAloneIsNoTrend) {
  std::vector<DayEffect> days;
  for (int i = 0; i < 30; ++i) {
    days.push_back({static_cast<double>(i), {i == 29 ? 1.0 : 0.1, 0.1}});
  }
  const TrendReport r = TestTrend(days, 14, {});
  EXPECT_LT(r.slope.p, 0.05);
  EXPECT_GT(r.contrast.p, 0.05);
  EXPECT_EQ(r.trend, Trend::kNone);
}

TEST(TrendTest, DaysThatSayNothingAreLeftOut) {
  std::vector<DayEffect> days = Fading();
  days.push_back({11, {9, 0}});
  days.push_back({12, {std::nan(""), 0.01}});
  days.push_back({std::nan(""), {9, 0.01}});
  EXPECT_DOUBLE_EQ(TestTrend(days, 5, {}).slope.value,
                   TestTrend(Fading(), 5, {}).slope.value);
}

TEST(TrendTest, TooFewDaysHaveNoTrend) {
  const std::vector<DayEffect> two = {{1, {9, 0.1}}, {2, {1, 0.1}}};
  ExpectNoResult(TestTrend(two, 1, {}).slope, Validity::kTooFew, 0);
  EXPECT_EQ(TestTrend(two, 1, {}).trend, Trend::kNone);
  EXPECT_EQ(TestTrend(two, 1, {}).contrast.validity, Validity::kValid);
  ExpectNoResult(TestTrend(two, 5, {}).contrast, Validity::kTooFew, 0);
  // Three values of one and the same day.
  const std::vector<DayEffect> same = {
      {1, {9, 0.1}}, {1, {1, 0.1}}, {1, {2, 0.1}}};
  ExpectNoResult(TestTrend(same, 0, {}).slope, Validity::kTooFew, 0);
  ExpectNoResult(TestTrend({}, 0, {}).slope, Validity::kTooFew, 0);
}

}  // namespace
}  // namespace bandit::stats
