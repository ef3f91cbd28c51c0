// SPDX-License-Identifier: Apache-2.0
#include "router/config/environment.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <string_view>

namespace bandit::config {
namespace {

std::optional<std::string> Variable(std::string_view name) {
  if (name == "A") return "alpha";
  if (name == "EMPTY") return "";
  if (name == "NESTED") return "${A}";
  if (name == "LATIN1") return "\xE9";
  if (name == "LONG") return std::string(1000, 'x');
  return std::nullopt;
}

std::string Text(std::string_view text) {
  const auto expansion = Expand(text, Variable);
  return expansion.ok() ? expansion->text
                        : std::string(expansion.status().message());
}

TEST(EnvironmentTest, ReplacesReferences) {
  EXPECT_EQ(Text("plain"), "plain");
  EXPECT_EQ(Text(""), "");
  EXPECT_EQ(Text("${A}"), "alpha");
  EXPECT_EQ(Text("<${A}-${A}>"), "<alpha-alpha>");
  EXPECT_EQ(Text("${UNSET}x"), "x");
}

// As in a shell: the default stands in for an empty variable too.
TEST(EnvironmentTest, TakesTheDefaultOfAnUnsetOrEmptyVariable) {
  EXPECT_EQ(Text("${A:-d}"), "alpha");
  EXPECT_EQ(Text("${UNSET:-d}"), "d");
  EXPECT_EQ(Text("${EMPTY:-d}"), "d");
  EXPECT_EQ(Text("${UNSET:-}"), "");
  EXPECT_EQ(Text("${UNSET:-a:-b}"), "a:-b");
  EXPECT_EQ(Text("${EMPTY}"), "");
}

TEST(EnvironmentTest, LeavesOtherDollarsAlone) {
  EXPECT_EQ(Text("$A $ $$ a$"), "$A $ $$ a$");
  EXPECT_EQ(Text("$${A}"), "${A}");
  EXPECT_EQ(Text("$${A} ${A}"), "${A} alpha");
}

TEST(EnvironmentTest, DoesNotLookAtValuesAgain) {
  EXPECT_EQ(Text("${NESTED}"), "${A}");
}

TEST(EnvironmentTest, SaysWhereTheTextIsFrom) {
  EXPECT_TRUE(Expand("x${A}", Variable)->from_environment);
  EXPECT_FALSE(Expand("x${UNSET:-d}", Variable)->from_environment);
  EXPECT_EQ(Expand("${U1}${U2}", Variable)->unset, "U1");
  EXPECT_EQ(Expand("${UNSET:-}", Variable)->unset, "");
}

TEST(EnvironmentTest, RejectsWhatIsNoReference) {
  constexpr std::string_view kName =
      "has a ${...} that names no environment variable, expected ${NAME} or "
      "${NAME:-default}";
  EXPECT_EQ(Text("${}"), kName);
  EXPECT_EQ(Text("${1A}"), kName);
  EXPECT_EQ(Text("${A B}"), kName);
  EXPECT_EQ(Text("${A-b}"), kName);
  EXPECT_EQ(Text("a ${A"),
            "has a ${ that is not closed, expected ${NAME}, or $${ for the "
            "characters ${");
  EXPECT_EQ(Text("${A:-${B}}"),
            "has a ${...} inside the default of another, expected plain text");
  EXPECT_EQ(Text("${LATIN1}"),
            "reads the environment variable LATIN1, which is not UTF-8, "
            "expected UTF-8 text");
}

TEST(EnvironmentTest, BoundsTheText) {
  std::string text;
  for (int i = 0; i < 65; ++i) text += "${LONG}";
  EXPECT_EQ(Expand(text, Variable)->text.size(), 65'000u);
  EXPECT_EQ(Text(text + "${LONG}"),
            "is longer than 65536 bytes, its ${...} replaced, expected at "
            "most 65536");
}

TEST(EnvironmentTest, ReadsTheProcess) {
  ASSERT_EQ(setenv("BANDIT_CONFIG_TEST", "here", 1), 0);
  EXPECT_EQ(ProcessEnvironment()("BANDIT_CONFIG_TEST"), "here");
  ASSERT_EQ(unsetenv("BANDIT_CONFIG_TEST"), 0);
  EXPECT_EQ(ProcessEnvironment()("BANDIT_CONFIG_TEST"), std::nullopt);
}

}  // namespace
}  // namespace bandit::config
