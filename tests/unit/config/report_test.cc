// SPDX-License-Identifier: Apache-2.0
// Messages: one line each, in the order of the file, without what must not be
// shown; and the names that somebody most likely meant.
#include "router/config/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "router/config/nearest.h"

namespace bandit::config {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

std::string Message(const Report& report) {
  return std::string(report.Status().message());
}

TEST(ReportTest, OrdersErrorsByLine) {
  Report report("f");
  EXPECT_TRUE(report.Status().ok());
  report.Fail(3, "c");
  report.Fail(1, "a");
  report.Fail(3, "d");
  EXPECT_EQ(Message(report), "f:1: a\nf:3: c\nf:3: d");
}

TEST(ReportTest, PlacesAnErrorAtTheNearestLine) {
  Report report("f");
  const Path list = Path().Field("experiments");
  const Path item = list.Item(1, "ranker");
  report.Record(list, 4);
  report.Record(item, 9);
  EXPECT_EQ(report.Line(item.Field("policy").Field("name")), 9);
  EXPECT_EQ(report.Line(list.Item(0, "")), 4);
  EXPECT_EQ(report.Line(Path().Field("listen")), 1);
  report.Fail(item.Field("policy"), "is missing");
  EXPECT_EQ(Message(report), "f:9: experiments.ranker.policy is missing");
}

TEST(ReportTest, TellsItemsOfOneNameApart) {
  Report report("f");
  const Path list = Path().Field("arms");
  report.Record(list.Item(0, "a"), 1);
  report.Record(list.Item(1, "a"), 2);
  EXPECT_EQ(report.Line(list.Item(1, "a")), 2);
  EXPECT_EQ(report.Line(list.Item(0, "a")), 1);
}

TEST(ReportTest, KeepsAMessageOnOneLine) {
  Report report("dir\n/f");
  report.FailValue(Path().Field("x"), "a\nb\t\x1b[31m\xC2\x85\xE2\x80\xA8",
                   "is bad");
  const std::string message = Message(report);
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 0) << message;
  EXPECT_THAT(message, HasSubstr("\"a\\nb\\t\\x1b[31m"));
  EXPECT_THAT(message, testing::Not(HasSubstr("\xC2\x85")));
  EXPECT_THAT(message, testing::Not(HasSubstr("\u2028")));
}

TEST(ReportTest, CutsLongValuesBetweenCharacters) {
  EXPECT_EQ(Quoted(std::string(79, 'x') + "\u00e9" + "y"),
            "\"" + std::string(79, 'x') + "\"...");
  EXPECT_EQ(Quoted("\u00e9"), "\"\u00e9\"");
}

TEST(ReportTest, QuotesTextButNotNumbers) {
  EXPECT_EQ(Quoted("1.5"), "1.5");
  EXPECT_EQ(Quoted("-3"), "-3");
  EXPECT_EQ(Quoted("64MiB"), "64MiB");
  EXPECT_EQ(Quoted("abc"), "\"abc\"");
  EXPECT_EQ(Quoted(""), "\"\"");
  EXPECT_EQ(Quoted("0.0.0.0:80"), "\"0.0.0.0:80\"");
}

TEST(ReportTest, HidesSecretsAndTheEnvironment) {
  Report report("f");
  const Path secret = Path().Field("token_key");
  report.Hide(secret);
  report.FailValue(secret, "s3cret", "is bad");
  const Path variable = Path().Field("state");
  report.ShowInstead(variable, "${STATE}");
  report.FailValue(variable, "s3cret", "is bad");
  EXPECT_EQ(Message(report),
            "f:1: token_key is bad\n"
            "f:1: state = \"${STATE}\" (from the environment) is bad");
}

TEST(ReportTest, CountsErrorsBeyondAHundred) {
  Report report("f");
  for (int i = 1; i <= 250; ++i) report.Fail(i, "bad");
  const std::string message = Message(report);
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 100);
  EXPECT_THAT(message, EndsWith("f:100: bad\nf:100: 150 more errors are not "
                                "shown, expected at most 100"));
}

TEST(NearestTest, FindsMisspeltNames) {
  const std::vector<std::string> known = {"thompson", "fixed_split", "ucb1",
                                          "linucb", "epsilon_greedy"};
  EXPECT_EQ(Nearest("thomson", known), "thompson");
  EXPECT_EQ(Nearest("tohmpson", known), "thompson");
  EXPECT_EQ(Nearest("FixedSplit", known), "fixed_split");
  EXPECT_EQ(Nearest("epsilon-greedy", known), "epsilon_greedy");
  EXPECT_EQ(Nearest("ucb", known), "ucb1");
  EXPECT_EQ(Nearest("softmax", known), "");
  EXPECT_EQ(Nearest("", known), "");
  EXPECT_EQ(Nearest("x", {"a", "b"}), "");
  EXPECT_EQ(Nearest(std::string(1'000'000, 'x'), known), "");
}

TEST(NearestTest, PrefersTheNearer) {
  EXPECT_EQ(Nearest("ranker-c", {"ranked-a", "ranker-a"}), "ranker-a");
  EXPECT_EQ(DidYouMean("polcy", {"policy"}), ", did you mean \"policy\"?");
  EXPECT_EQ(DidYouMean("zzz", {"policy"}), "");
}

TEST(NearestTest, ListsNames) {
  EXPECT_EQ(AnyOf({}), "none");
  EXPECT_EQ(AnyOf({"a"}), "a");
  EXPECT_EQ(AnyOf({"a", "b"}), "a or b");
  EXPECT_EQ(AnyOf({"a", "b", "c"}), "a, b or c");
  EXPECT_THAT(AnyOf(std::vector<std::string>(20, "x")),
              EndsWith("x, x or 8 more"));
}

}  // namespace
}  // namespace bandit::config
