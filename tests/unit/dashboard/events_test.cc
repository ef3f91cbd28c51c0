// SPDX-License-Identifier: Apache-2.0
#include "router/dashboard/events.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::dashboard {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

TEST(EventsTest, TheNewestAreKept) {
  Events events;
  for (int i = 0; i < 501; ++i) {
    events.OnReload(true, std::to_string(i), kNow + absl::Seconds(i));
  }
  const auto all = events.Get();
  ASSERT_EQ(all.size(), 500);
  EXPECT_EQ(all.front().detail(), "1");
  EXPECT_EQ(all.back().what(), "loaded");
}

TEST(EventsTest, DegradedIsSaidWhenItBeginsAndWhenItEnds) {
  Events events;
  events.OnDegraded("", kNow);
  events.OnDegraded("disk full for 1s", kNow);
  events.OnDegraded("disk full for 2s", kNow);
  events.OnDegraded("", kNow);
  const auto all = events.Get();
  ASSERT_EQ(all.size(), 2);
  EXPECT_EQ(all[0].what(), "degraded");
  EXPECT_EQ(all[0].detail(), "disk full for 1s");
  EXPECT_EQ(all[1].what(), "healed");
}

TEST(EventsTest, ALongDetailIsCutBetweenLetters) {
  Events events;
  std::string detail = "x";
  for (int i = 0; i < 600; ++i) detail += "\xc3\xa9";  // é
  events.OnReload(false, detail, kNow);
  EXPECT_EQ(events.Get()[0].detail().size(), 999);
  EXPECT_EQ(events.Get()[0].what(), "not_loaded");
}

TEST(EventsTest, TheAuditLogsAreAmongThemByTime) {
  Events events;
  events.OnStart("1.2.3", kNow);
  events.OnTransition({.experiment = "ranker",
                       .arm = "slow",
                       .rule = "p99",
                       .event = guardrails::Event::kEjected,
                       .reason = "250 ms",
                       .time = kNow + absl::Seconds(10)});
  v1::AuditLog audit;
  v1::AuditEntry* entry = audit.add_entries();
  entry->mutable_time()->set_seconds(absl::ToUnixSeconds(kNow) + 5);
  entry->set_act("pause");
  entry->set_who("ada");
  entry->set_proven(true);
  entry->set_experiment("ranker");
  entry->set_why("lunch");
  entry->set_detail("from running");
  audit.set_broken("entry 3 was changed");

  const v1::EventLog log = Together(events.Get(), audit);
  ASSERT_EQ(log.events_size(), 3);
  EXPECT_EQ(log.events(0).what(), "started");
  EXPECT_EQ(log.events(1).source(), "audit");
  EXPECT_EQ(log.events(1).what(), "pause");
  EXPECT_EQ(log.events(1).who(), "ada");
  EXPECT_TRUE(log.events(1).proven());
  EXPECT_EQ(log.events(1).detail(), "from running: lunch");
  EXPECT_EQ(log.events(2).what(), "ejected");
  EXPECT_EQ(log.events(2).arm(), "slow");
  EXPECT_EQ(log.events(2).rule(), "p99");
  EXPECT_EQ(log.audit_trouble(), "entry 3 was changed");
}

}  // namespace
}  // namespace bandit::dashboard
