// SPDX-License-Identifier: Apache-2.0
#include "router/guardrails/rule_watch.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/guardrails/rules.h"

namespace bandit::guardrails {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr Probation kProbation{.base_ejection = absl::Minutes(1),
                               .max_ejection = absl::Minutes(10)};

TEST(RuleWatchTest, SaysWithWhichFiguresItFoundTheRuleBroken) {
  const Rule rule = ErrorRule();
  RuleWatch watch(rule, {}, {}, kStart);
  EXPECT_FALSE(watch.Look(rule, kProbation, Hits(1, 100), {},
                          kStart + absl::Milliseconds(100)));
  EXPECT_TRUE(watch.Look(rule, kProbation, Hits(30, 200), {},
                         kStart + absl::Milliseconds(200)));
  EXPECT_THAT(watch.reason(),
              AllOf(HasSubstr("0.15 over 200, where 0.02 is the limit in "
                              "200ms"),
                    HasSubstr("e^4.6 needed")));
  EXPECT_EQ(watch.trips(), 1);
}

TEST(RuleWatchTest, CountsAsBrokenForAWhileThatDoubles) {
  const Rule rule = ErrorRule();
  RuleWatch watch(rule, {}, {}, kStart);
  Sums sums = Hits(30, 100);
  absl::Time now = kStart + absl::Seconds(1);
  ASSERT_TRUE(watch.Look(rule, kProbation, sums, {}, now));
  EXPECT_TRUE(watch.broken(now + absl::Seconds(59)));
  EXPECT_FALSE(watch.broken(now + absl::Seconds(60)));
  now += absl::Seconds(30);
  sums += Hits(30, 100);
  ASSERT_TRUE(watch.Look(rule, kProbation, sums, {}, now));
  EXPECT_TRUE(watch.broken(now + absl::Seconds(119)));
  EXPECT_FALSE(watch.broken(now + absl::Seconds(120)));
  // Later it is a first time again.
  now += absl::Minutes(20);
  sums += Hits(30, 100);
  ASSERT_TRUE(watch.Look(rule, kProbation, sums, {}, now));
  EXPECT_FALSE(watch.broken(now + absl::Seconds(60)));
  EXPECT_EQ(watch.trips(), 3);
}

// After a finding it takes new evidence for the next.
TEST(RuleWatchTest, BeginsAgainAfterAFinding) {
  const Rule rule = ErrorRule();
  RuleWatch watch(rule, {}, {}, kStart);
  ASSERT_TRUE(watch.Look(rule, kProbation, Hits(30, 100), {},
                         kStart + absl::Seconds(1)));
  EXPECT_FALSE(watch.Look(rule, kProbation, Hits(30, 101), {},
                          kStart + absl::Seconds(2)));
}

TEST(RuleWatchTest, LooksAtRelativeRulesOnceASecond) {
  const Rule rule = BesideControl(0);
  RuleWatch watch(rule, {}, {}, kStart);
  EXPECT_FALSE(watch.Look(rule, kProbation, Hits(0, 10), Hits(0, 10), kStart));
  EXPECT_FALSE(watch.Look(rule, kProbation, Hits(900, 1000), Hits(0, 1000),
                          kStart + absl::Milliseconds(900)));
  EXPECT_TRUE(watch.Look(rule, kProbation, Hits(901, 1001), Hits(0, 1000),
                         kStart + absl::Milliseconds(1000)));
}

// A record goes on where it was, though the process counts from 0 again.
TEST(RuleWatchTest, GoesOnFromItsRecord) {
  const Rule rule = ErrorRule();
  RuleWatch watch(rule, {}, {}, kStart);
  absl::Time now = kStart;
  Sums sums;
  for (int i = 0; i < 20; ++i) {
    now += absl::Seconds(1);
    sums += Hits(2, 60);
    if (watch.Look(rule, kProbation, sums, {}, now)) break;
  }
  const WatchRecord record = watch.Record(rule, sums, {});
  RuleWatch again(rule, record, /*arm=*/{}, /*control=*/{}, now);
  for (int i = 0; i < 20; ++i) {
    now += absl::Seconds(1);
    const Sums more = Hits(2.0 * (i + 1), 60.0 * (i + 1));
    EXPECT_EQ(watch.Look(rule, kProbation, sums + more, {}, now),
              again.Look(rule, kProbation, more, {}, now));
    EXPECT_NEAR(watch.log_evidence(), again.log_evidence(), 1e-9);
  }
}

TEST(KeyOfTest, TellsRulesApartButNotByNameOrAction) {
  Rule other = ErrorRule();
  other.name = "another";
  other.action = Action::kAlert;
  EXPECT_EQ(KeyOf(other), KeyOf(ErrorRule()));
  other.bound = 0.03;
  EXPECT_NE(KeyOf(other), KeyOf(ErrorRule()));
}

}  // namespace
}  // namespace bandit::guardrails
