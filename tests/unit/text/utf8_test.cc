// SPDX-License-Identifier: Apache-2.0
#include "router/text/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace bandit::text {
namespace {

// One, two, three and four bytes.
constexpr std::string_view kLetters = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";

TEST(Utf8Test, APrefixCutsNoLetterAndIsAsLongAsItCanBe) {
  constexpr size_t kEnds[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
  for (size_t most = 0; most < std::size(kEnds); ++most) {
    const std::string_view prefix = Utf8Prefix(kLetters, most);
    EXPECT_EQ(prefix.size(), kEnds[most]) << most;
    EXPECT_TRUE(IsUtf8(prefix)) << most;
  }
}

TEST(Utf8Test, OverlongFormsSurrogatesAndWhatIsBeyondAreNone) {
  EXPECT_TRUE(IsUtf8(kLetters));
  EXPECT_TRUE(IsUtf8(""));
  for (const std::string_view none :
       {"\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80",
        "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xA9",
        "\xC3", "\xE2\x82", "\xFF"}) {
    EXPECT_FALSE(IsUtf8(none));
    EXPECT_TRUE(IsUtf8(ValidUtf8(none)));
  }
  EXPECT_EQ(ValidUtf8(kLetters), kLetters);
}

}  // namespace
}  // namespace bandit::text
