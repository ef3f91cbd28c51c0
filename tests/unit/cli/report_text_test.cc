// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/report_text.h"

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::cli {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

void Set(v1::Interval* interval, double low, double high) {
  interval->set_low(low);
  interval->set_high(high);
}

v1::Report Example() {
  v1::Report report;
  report.set_experiment("ranker");
  report.set_epoch(2);
  report.mutable_as_of()->set_seconds(1'700'000'000);
  report.set_policy("thompson");
  report.set_adaptive(true);
  report.set_unit("x-user-id");
  report.set_reward_metric("click");
  report.set_control("control");
  report.set_decisions(1000);
  report.set_alpha(0.05);
  report.set_planned(10'000);
  for (const char* name : {"control", "a<b>, \"quoted\""}) {
    v1::ArmReport* arm = report.add_arms();
    arm->set_name(name);
    arm->set_decisions(500);
    arm->set_share(0.5);
    arm->set_expected_share(0.4);
  }
  report.mutable_arms(1)->set_probability_best(0.875);
  v1::MetricReport* click = report.add_metrics();
  click->set_name("click");
  click->set_role("reward");
  click->set_binary(true);
  for (const v1::ArmReport& from : report.arms()) {
    v1::ArmMetric* arm = click->add_arms();
    arm->set_arm(from.name());
    arm->set_count(400);
    arm->mutable_mean()->set_value(0.25);
    Set(arm->mutable_mean()->mutable_fixed(), 0.2, 0.3);
    arm->mutable_mean()->set_fixed_method("by unit buckets");
  }
  v1::ArmMetric* second = click->mutable_arms(1);
  second->mutable_difference()->set_value(0.05);
  second->mutable_difference()->set_p_adjusted(0.00001);
  second->mutable_lift()->set_value(0.2);
  Set(second->mutable_lift()->mutable_anytime(), 0.05, 0.35);
  report.mutable_split()->set_verdict(v1::SplitCheck::SOUND);
  report.mutable_split()->set_p(0.5);
  report.mutable_next()->set_action(v1::NextStep::PROMOTE);
  report.mutable_next()->set_arm("a<b>, \"quoted\"");
  report.mutable_next()->add_why("it is better & not worse");
  return report;
}

TEST(RenderReportTest, BeginsWithWhatToDo) {
  const std::string text = RenderReport(Example());
  EXPECT_THAT(text, HasSubstr("ranker: thompson on click, epoch 2, 1000 "
                              "decisions, as of 2023-11-14 22:13:20 UTC\n"));
  EXPECT_THAT(text, HasSubstr("next: PROMOTE a<b>"));
  EXPECT_THAT(text, HasSubstr("split: sound (p = 0.5; )"));
  EXPECT_THAT(text, ContainsRegex("\\+20\\.0 %  +\\+5\\.0 to \\+35\\.0 %"));
  EXPECT_THAT(text, HasSubstr("< 0.0001"));
  EXPECT_THAT(text, HasSubstr("requests with the same x-user-id are one unit"));
  EXPECT_THAT(text, HasSubstr("weighted by the inverse"));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
}

TEST(RenderReportTest, WhatHasNoValueIsADash) {
  v1::Report report = Example();
  report.mutable_metrics(0)->mutable_arms(1)->clear_lift();
  report.mutable_metrics(0)->mutable_arms(1)->clear_difference();
  EXPECT_THAT(RenderReport(report), ContainsRegex("  - +-\n"));
  for (v1::ArmMetric& arm : *report.mutable_metrics(0)->mutable_arms()) {
    arm.clear_count();
  }
  EXPECT_THAT(RenderReport(report), HasSubstr("no values yet"));
}

// As a spreadsheet reads it: quotes doubled, every line as long as the header.
TEST(RenderReportCsvTest, QuotesWhatMustBeQuoted) {
  const std::string text = RenderReportCsv(Example());
  const std::vector<std::string> lines =
      absl::StrSplit(text, "\r\n", absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines[2], HasSubstr(",\"a<b>, \"\"quoted\"\"\",0,"));
  const auto fields = [](const std::string& line) {
    size_t count = 1;
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') quoted = !quoted;
      if (c == ',' && !quoted) ++count;
    }
    return count;
  };
  EXPECT_EQ(fields(lines[1]), fields(lines[0]));
  EXPECT_EQ(fields(lines[2]), fields(lines[0]));
}

TEST(RenderReportHtmlTest, EscapesNamesAndLoadsNothing) {
  const std::string page = RenderReportHtml(Example());
  EXPECT_THAT(page, HasSubstr("a&lt;b&gt;, &quot;quoted&quot;"));
  EXPECT_THAT(page, HasSubstr("better &amp; not worse"));
  EXPECT_THAT(page, Not(HasSubstr("a<b>")));
  for (const char* foreign : {"http://", "https://", "<script", "@import"}) {
    EXPECT_THAT(page, Not(HasSubstr(foreign)));
  }
  EXPECT_THAT(page, HasSubstr("<svg"));
}

}  // namespace
}  // namespace bandit::cli
