// SPDX-License-Identifier: Apache-2.0
#include "router/http2/header.h"

#include "gtest/gtest.h"

namespace bandit::http2 {
namespace {

constexpr Header kHeaders[] = {{":path", "/a.B/C"},
                               {"x-user", "alice"},
                               {"x-user", "bob"},
                               {"x-empty", ""}};

TEST(HeaderTest, FindsTheFirstOfAName) {
  EXPECT_EQ(Find(kHeaders, "x-user"), "alice");
  EXPECT_EQ(Find(kHeaders, ":path"), "/a.B/C");
}

TEST(HeaderTest, NamesMatchAsAWhole) {
  EXPECT_EQ(Find(kHeaders, "x-use").data(), nullptr);
  EXPECT_EQ(Find(kHeaders, "x-user2").data(), nullptr);
  EXPECT_EQ(Find(kHeaders, "").data(), nullptr);
  EXPECT_EQ(Find({}, "x-user").data(), nullptr);
}

TEST(HeaderTest, AnEmptyValueIsNoAbsentOne) {
  EXPECT_EQ(Find(kHeaders, "x-empty"), "");
  EXPECT_NE(Find(kHeaders, "x-empty").data(), nullptr);
  // Also where its owner kept no bytes for it.
  const Header bare[] = {{"x-bare", {}}};
  EXPECT_NE(Find(bare, "x-bare").data(), nullptr);
}

}  // namespace
}  // namespace bandit::http2
