// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/line_plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace bandit::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(LinePlotTest, NothingToDrawIsNoPlot) {
  EXPECT_EQ(LinePlot({}, "s", 1, ""), "");
  EXPECT_EQ(LinePlot({{.label = "a", .points = {{1, 1}}}}, "s", 1, ""), "");
}

// The area is 64 to 628 across, 250 up to 8.
TEST(LinePlotTest, PointsAreWhereTheirValuesAre) {
  const std::string plot =
      LinePlot({{.label = "a", .points = {{0, 0}, {5, 10}, {10, 20}}}},
               "seconds", 1, "");
  EXPECT_THAT(plot, HasSubstr("points=\"64.0,250.0 346.0,129.0 628.0,8.0 \""));
  EXPECT_THAT(plot, Not(HasSubstr("polygon")));
  EXPECT_THAT(plot, HasSubstr(">seconds</text>"));
}

TEST(LinePlotTest, ABandIsAroundTheLineAndOnTheAxis) {
  const std::string plot =
      LinePlot({{.label = "a", .points = {{0, 0}, {10, 10, 10}}}}, "s", 1, "");
  EXPECT_THAT(plot, HasSubstr("class=\"band s0\" points=\"64.0,250.0 628.0,8.0 "
                              "628.0,250.0 64.0,250.0 \""));
}

TEST(LinePlotTest, TicksAreScaledAndNamesEscaped) {
  const std::string plot =
      LinePlot({{.label = "a<b", .points = {{0, 0}, {1, 1}}, .colour = 9}}, "s",
               100, " %");
  EXPECT_THAT(plot, HasSubstr(">100 %</text>"));
  EXPECT_THAT(plot, HasSubstr("a&lt;b"));
  EXPECT_THAT(plot, HasSubstr("class=\"line s1\""));
}

TEST(LinePlotTest, ALineOfZerosHasAnAxis) {
  const std::string plot =
      LinePlot({{.label = "a", .points = {{0, 0}, {1, 0}}}}, "s", 1, "");
  EXPECT_THAT(plot, Not(HasSubstr("nan")));
  EXPECT_THAT(plot, HasSubstr("64.0,250.0 628.0,250.0"));
}

}  // namespace
}  // namespace bandit::cli
