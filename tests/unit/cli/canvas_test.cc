// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/canvas.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::cli {
namespace {

using ::testing::ElementsAre;

constexpr Canvas kPlain{.width = 10};
constexpr Canvas kFancy{.width = 10, .color = true, .unicode = true};

TEST(CanvasTest, ALineThatIsTooLongIsCutWithAMark) {
  EXPECT_EQ(Paint({{"0123456789"}}, kPlain), "0123456789");
  EXPECT_EQ(Paint({{"01234"}, {"567890"}}, kPlain), "012345678>");
  EXPECT_EQ(Paint({{"äöüäöüäöüäö"}}, kFancy), "äöüäöüäöü…");
  EXPECT_EQ(Paint({{"x"}}, {.width = 0}), "");
}

TEST(CanvasTest, InksAreEscapesOnlyInColour) {
  EXPECT_EQ(Paint({{"a "}, {"b", Ink::kBad}}, kPlain), "a b");
  EXPECT_EQ(Paint({{"a "}, {"b", Ink::kBad}}, kFancy), "a \x1b[31mb\x1b[0m");
}

// A name from a config must not move the cursor.
TEST(CanvasTest, ControlCharactersAreShownAsQuestionMarks) {
  EXPECT_EQ(Paint({{"a\x1b[2Jb\n"}}, kPlain), "a?[2Jb?");
}

TEST(CanvasTest, BarsAreAsLongAsTheirShare) {
  EXPECT_EQ(Bar(0, 4, kPlain), "    ");
  EXPECT_EQ(Bar(0.5, 4, kPlain), "##  ");
  EXPECT_EQ(Bar(1, 4, kPlain), "####");
  EXPECT_EQ(Bar(7, 4, kPlain), "####");
  EXPECT_EQ(Bar(std::nan(""), 4, kPlain), "    ");
  EXPECT_EQ(Bar(0.5, 4, kFancy), "██  ");
  EXPECT_EQ(Bar(1.0 / 32, 4, kFancy), "▏   ");
  EXPECT_EQ(Bar(0.999, 4, kFancy), "████");
  for (int i = 0; i <= 100; ++i) {
    EXPECT_EQ(WidthOf(Bar(i / 100.0, 7, kFancy)), 7u) << i;
    EXPECT_EQ(WidthOf(Bar(i / 100.0, 7, kPlain)), 7u) << i;
  }
}

TEST(CanvasTest, SparklinesShowTheNewestAndLeaveGaps) {
  const double values[] = {0, 0.5, std::nan(""), 1};
  EXPECT_EQ(Sparkline(values, 6, kFancy), "  ▁▅ █");
  EXPECT_EQ(Sparkline(values, 6, kPlain), "  _= #");
  EXPECT_EQ(Sparkline(values, 2, kFancy), " █");
  EXPECT_EQ(Sparkline({}, 3, kFancy), "   ");
}

TEST(LayoutTest, StretchesInTurnThenDropsWhatMattersLeast) {
  const Column columns[] = {{.header = "a"},
                            {.header = "b", .drop = 2, .least = 2, .most = 6},
                            {.header = "c", .drop = 1, .least = 2, .most = 4},
                            {.header = "d", .drop = 3}};
  const size_t needed[] = {5, 0, 0, 5};
  EXPECT_THAT(Layout(columns, needed, 100), ElementsAre(5, 6, 4, 5));
  EXPECT_THAT(Layout(columns, needed, 25), ElementsAre(5, 4, 3, 5));
  EXPECT_THAT(Layout(columns, needed, 22), ElementsAre(5, 2, 2, 5));
  EXPECT_THAT(Layout(columns, needed, 21), ElementsAre(5, 6, 4, 0));
  EXPECT_THAT(Layout(columns, needed, 12), ElementsAre(5, 0, 3, 0));
  // What is never dropped stays, however narrow.
  EXPECT_THAT(Layout(columns, needed, 3), ElementsAre(5, 0, 0, 0));
}

}  // namespace
}  // namespace bandit::cli
