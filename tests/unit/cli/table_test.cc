// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/table.h"

#include "gtest/gtest.h"

namespace bandit::cli {
namespace {

TEST(RenderColumnsTest, WordsAreSetLeftAndNumbersRight) {
  EXPECT_EQ(RenderColumns({{"arm", "count"}, {"control", "7"}}, 1),
            "  arm      count\n"
            "  control      7\n");
}

TEST(RenderColumnsTest, AColumnIsAsWideAsItsWidestCell) {
  EXPECT_EQ(RenderColumns({{"a", "n"}, {"b", "123456"}, {"c", "12"}}, 1),
            "  a       n\n"
            "  b  123456\n"
            "  c      12\n");
}

TEST(RenderColumnsTest, NoLineEndsWithSpaces) {
  EXPECT_EQ(RenderColumns({{"a", "long"}, {"b", "x"}, {"c", ""}}, 2),
            "  a  long\n"
            "  b  x\n"
            "  c\n");
}

TEST(RenderColumnsTest, NoRowsAreNoText) {
  EXPECT_EQ(RenderColumns({}, 1), "");
}

}  // namespace
}  // namespace bandit::cli
