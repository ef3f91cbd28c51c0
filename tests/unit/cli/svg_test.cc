// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/svg.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::cli {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pointwise;

TEST(TicksTest, AreRoundNumbersWithin) {
  EXPECT_THAT(Ticks(0, 1, 5),
              Pointwise(DoubleNear(1e-12),
                        std::vector<double>{0, 0.2, 0.4, 0.6, 0.8, 1.0}));
  EXPECT_THAT(
      Ticks(-0.013, 0.021, 5),
      Pointwise(DoubleNear(1e-12), std::vector<double>{-0.01, -0.005, 0, 0.005,
                                                       0.01, 0.015, 0.02}));
  EXPECT_THAT(Ticks(990, 1010, 2), ElementsAre(990, 1000, 1010));
}

TEST(ForestPlotTest, ARowIsAPointAndItsIntervals) {
  const std::string svg =
      ForestPlot({{.label = "a&b",
                   .value = 0.5,
                   .fixed = stats::Interval{.low = 0.4, .high = 0.6},
                   .anytime = stats::Interval{.low = 0.3, .high = 0.7}}},
                 /*zero=*/true, 100, " %");
  EXPECT_THAT(svg, HasSubstr("a&amp;b"));
  EXPECT_THAT(svg, HasSubstr("class=\"thick\""));
  EXPECT_THAT(svg, HasSubstr("class=\"thin\""));
  EXPECT_THAT(svg, HasSubstr("class=\"zero\""));
  EXPECT_THAT(svg, HasSubstr("60 %"));
}

TEST(ForestPlotTest, OneNumberAloneStillHasAnAxis) {
  const std::string svg =
      ForestPlot({{.label = "a", .value = 3}}, /*zero=*/false, 1, "");
  EXPECT_THAT(svg, HasSubstr("<circle"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  EXPECT_EQ(ForestPlot({}, true, 1, ""), "");
}

}  // namespace
}  // namespace bandit::cli
