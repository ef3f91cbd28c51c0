// SPDX-License-Identifier: Apache-2.0
#include "router/config/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "fmt/format.h"

namespace bandit::config {
namespace {

using testing::HasSubstr;

struct Parsed {
  std::optional<YamlNode> root;
  std::string error;
};

Parsed Parse(std::string_view text) {
  Report report("f");
  Parsed parsed;
  parsed.root = ParseDocument(text, &report);
  parsed.error = std::string(report.Status().message());
  EXPECT_EQ(parsed.root.has_value(), parsed.error.empty());
  return parsed;
}

std::string Repeat(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST(DocumentTest, KnowsTheLineOfEveryKeyAndItem) {
  const Parsed parsed = Parse(
      "# c\n"
      "a: 1\n"
      "b:\n"
      "  c: >\n"
      "    two\n"
      "    lines\n"
      "  d:\n"
      "  - x\n"
      "\n"
      "  - {y: 2}\n");
  ASSERT_TRUE(parsed.root.has_value()) << parsed.error;
  const auto& entries = parsed.root->entries;
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].key, "a");
  EXPECT_EQ(entries[0].line, 2);
  EXPECT_EQ(entries[1].line, 3);
  const auto& inner = entries[1].value.entries;
  EXPECT_EQ(inner[0].value.text, "two lines\n");
  EXPECT_EQ(inner[1].line, 7);
  ASSERT_EQ(inner[1].value.items.size(), 2u);
  EXPECT_EQ(inner[1].value.items[0].line, 8);
  EXPECT_EQ(inner[1].value.items[1].line, 10);
}

// yaml-cpp says where the token after it is.
TEST(DocumentTest, KnowsTheLineOfAnEmptyItem) {
  const Parsed parsed = Parse(
      "a:\n"
      "  - x\n"
      "  -   # nothing here\n"
      "\n"
      "  # nor here\n"
      "  - null\n"
      "  -\n"
      "  -\n"
      "b: [1, ~]\n");
  ASSERT_TRUE(parsed.root.has_value()) << parsed.error;
  const auto& items = parsed.root->entries[0].value.items;
  ASSERT_EQ(items.size(), 5u);
  for (size_t i = 1; i < items.size(); ++i) {
    EXPECT_EQ(items[i].kind, YamlNode::Kind::kNull) << i;
  }
  EXPECT_EQ(items[1].line, 3);
  EXPECT_EQ(items[2].line, 6);
  EXPECT_EQ(items[3].line, 7);
  EXPECT_EQ(items[4].line, 8);
  EXPECT_EQ(parsed.root->entries[1].value.items[1].line, 9);
}

TEST(DocumentTest, KeepsDuplicateKeys) {
  const Parsed parsed = Parse("a: 1\na: 2\n");
  ASSERT_EQ(parsed.root->entries.size(), 2u);
  EXPECT_EQ(parsed.root->entries[1].value.text, "2");
}

TEST(DocumentTest, TakesWindowsLinesAndAByteOrderMark) {
  const Parsed parsed = Parse(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: 2\r\n");
  ASSERT_TRUE(parsed.root.has_value()) << parsed.error;
  EXPECT_EQ(parsed.root->entries[0].key, "a");
  EXPECT_EQ(parsed.root->entries[1].value.text, "2");
  EXPECT_EQ(parsed.root->entries[1].line, 2);
}

TEST(DocumentTest, TakesALastLineWithoutItsLineFeed) {
  for (std::string_view text :
       {"a: x", "a: x # c", "a: 'x'", "a: |-\n  x", "a: >-\n  x\n", "a: x\n...",
        "a: x\n...\n", "---\na: x\n"}) {
    const Parsed parsed = Parse(text);
    ASSERT_TRUE(parsed.root.has_value()) << text << parsed.error;
    EXPECT_EQ(parsed.root->entries[0].value.text, "x") << text;
  }
}

TEST(DocumentTest, ExpandsAliases) {
  const Parsed parsed = Parse("a: &x {b: [1, 2]}\nc: *x\n");
  ASSERT_TRUE(parsed.root.has_value()) << parsed.error;
  const YamlNode& copy = parsed.root->entries[1].value;
  ASSERT_EQ(copy.entries.size(), 1u);
  EXPECT_EQ(copy.entries[0].value.items[1].text, "2");
}

TEST(DocumentTest, RejectsWhatIsNoMap) {
  constexpr std::string_view kEmpty =
      "f:1: the file is empty, expected `backends` and `experiments`";
  EXPECT_EQ(Parse("").error, kEmpty);
  EXPECT_EQ(Parse("# only a comment\n").error, kEmpty);
  EXPECT_EQ(Parse("---\n").error, kEmpty);
  EXPECT_EQ(Parse("~\n").error, kEmpty);
  EXPECT_EQ(Parse("\n- a\n").error,
            "f:2: the file is a list, expected a map of fields such as "
            "`backends` and `experiments`");
  EXPECT_EQ(Parse("text\n").error,
            "f:1: the file is a single value, expected a map of fields such "
            "as `backends` and "
            "`experiments`");
}

TEST(DocumentTest, RejectsWhatIsNoText) {
  EXPECT_EQ(Parse("a: 1\nb: \xC3(\n").error,
            "f:2: byte 0xc3 is not UTF-8, expected UTF-8 text");
  EXPECT_EQ(Parse(std::string_view("a\0: 1", 5)).error,
            "f:1: control character 0x00, expected text");
  // UTF-16, as some editors save it.
  EXPECT_EQ(Parse(std::string_view("\xFF\xFE"
                                   "a\0:\0",
                                   6))
                .error,
            "f:1: byte 0xff is not UTF-8, expected UTF-8 text");
  // A surrogate, an overlong slash, a code point above U+10FFFF, a cut one.
  for (std::string_view bad :
       {"a: \xED\xA0\x80", "a: \xC0\xAF", "a: \xE0\x80\xAF",
        "a: \xF4\x90\x80\x80", "a: \xE2\x82"}) {
    EXPECT_THAT(Parse(bad).error, HasSubstr("is not UTF-8")) << bad;
  }
}

TEST(DocumentTest, RejectsWhatIsTooDeep) {
  const int deep = static_cast<int>(kMaxDepth);
  EXPECT_EQ(Parse(Repeat("[", deep + 1) + Repeat("]", deep + 1)).error,
            "f:1: nested more than 32 levels deep, expected at most 32");
  EXPECT_THAT(
      Parse("a: " + Repeat("[", deep - 1) + Repeat("]", deep - 1)).error,
      testing::IsEmpty());
  EXPECT_THAT(Parse(Repeat("[", 500'000)).error, HasSubstr("nested"));
  EXPECT_THAT(Parse(Repeat("{a: ", 200'000)).error, HasSubstr("nested"));
  EXPECT_THAT(Parse(Repeat("- ", 500'000)).error, HasSubstr("nested"));
  EXPECT_THAT(Parse(Repeat("? ", 500'000)).error, HasSubstr("nested"));
}

// Ten levels of ten aliases each stand for ten billion values.
TEST(DocumentTest, RejectsAnAliasBomb) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i <= 10; ++i) {
    text += fmt::format("a{0}: &a{0} [", i);
    for (int j = 0; j < 10; ++j) text += fmt::format("*a{}, ", i - 1);
    text += "]\n";
  }
  EXPECT_THAT(Parse(text).error,
              HasSubstr("the file holds too many values, its aliases expanded, "
                        "expected less than 8 MiB of them"));
}

// One long text, many times.
TEST(DocumentTest, RejectsAnAliasBombOfText) {
  const std::string text = "a: &a " + Repeat("x", 100'000) + "\nb: [" +
                           Repeat("*a, ", 10'000) + "]\n";
  EXPECT_THAT(Parse(text).error, HasSubstr("too many values"));
}

TEST(DocumentTest, RejectsWhatIsTooLarge) {
  const std::string largest = "a: " + Repeat("x", (1 << 20) - 3);
  EXPECT_TRUE(Parse(largest).root.has_value());
  EXPECT_EQ(
      Parse(largest + "x").error,
      "f:1: the file has more than 1048576 bytes, expected at most 1048576");
  EXPECT_THAT(Parse("a: [" + Repeat("b,", 500'000) + "]").error,
              HasSubstr("too many values"));
}

// yaml-cpp repeats parts of the file in some messages; a secret may be there.
TEST(DocumentTest, ErrorsDoNotRepeatTheFile) {
  for (std::string_view text :
       {"k: *s3cret", "k: &s3cret &s3cret x", "k: !s3cret x", "k: \"\\s3cret\"",
        "k: s3cret: x", "k: 's3cret", "k: [s3cret", "k: @s3cret",
        "%TAG s3cret\n---\nk: x", "%YAML s3cret\n---\nk: x", "k: !<s3cret x"}) {
    const Parsed parsed = Parse(text);
    EXPECT_FALSE(parsed.root.has_value()) << text;
    EXPECT_THAT(parsed.error, testing::Not(HasSubstr("s3cret"))) << text;
    EXPECT_THAT(parsed.error, HasSubstr(", expected ")) << text;
  }
}

}  // namespace
}  // namespace bandit::config
