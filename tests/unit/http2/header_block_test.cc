// SPDX-License-Identifier: Apache-2.0
#include "router/http2/header_block.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bandit::http2 {
namespace {

TEST(HeaderBlockTest, FindGivesTheFirstOfAName) {
  HeaderBlock block;
  block.AddBorrowed("x-a", "1");
  block.AddBorrowed("x-a", "2");
  EXPECT_EQ(block.Find("x-a"), "1");
}

// An absent field and an empty value are told apart by the data pointer.
TEST(HeaderBlockTest, AnAbsentFieldIsNotAnEmptyOne) {
  HeaderBlock block;
  block.AddBorrowed("x-empty", "");
  EXPECT_NE(block.Find("x-empty").data(), nullptr);
  EXPECT_EQ(block.Find("x-absent").data(), nullptr);
}

TEST(HeaderBlockTest, RemoveTakesEveryFieldOfTheNameFromViewAndFields) {
  HeaderBlock block;
  block.AddBorrowed("a", "1");
  block.AddBorrowed("b", "2");
  block.AddBorrowed("a", "3");
  block.AddBorrowed("c", "4");
  block.Remove("a");
  ASSERT_EQ(block.view().size(), 2u);
  EXPECT_EQ(block.view()[0].name, "b");
  EXPECT_EQ(block.view()[1].value, "4");
  ASSERT_EQ(block.fields().size(), 2u);
  EXPECT_EQ(block.fields()[1].valuelen, 1u);
}

TEST(HeaderBlockTest, AValueThatWillNotComeAgainStaysOutOfTheTable) {
  HeaderBlock block;
  block.AddBorrowed("x-token", "t", /*indexed=*/false);
  block.AddBorrowed("x-arm", "a");
  EXPECT_TRUE(block.fields()[0].flags & NGHTTP2_NV_FLAG_NO_INDEX);
  EXPECT_FALSE(block.fields()[1].flags & NGHTTP2_NV_FLAG_NO_INDEX);
}

TEST(HeaderBlockTest, NamesWhoseValuesAreUniqueAreKeptOutOfTheTable) {
  HeaderBlock block;
  block.AddBorrowed("x-user-id", "u1");
  block.AddBorrowed("x-user", "u");
  block.AddBorrowed("traceparent", "00-1");
  block.KeepOutOfTable(std::vector<std::string>{"traceparent", "x-user-id"});
  EXPECT_TRUE(block.fields()[0].flags & NGHTTP2_NV_FLAG_NO_INDEX);
  EXPECT_FALSE(block.fields()[1].flags & NGHTTP2_NV_FLAG_NO_INDEX);
  EXPECT_TRUE(block.fields()[2].flags & NGHTTP2_NV_FLAG_NO_INDEX);
}

}  // namespace
}  // namespace bandit::http2
