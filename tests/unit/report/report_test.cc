// SPDX-License-Identifier: Apache-2.0
#include "router/report/report.h"

#include <cmath>
#include <functional>

#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "tests/unit/report/input_builder.h"

namespace bandit::report {
namespace {

using bandit::testing::InputBuilder;
using ::testing::DoubleNear;
using ::testing::HasSubstr;

// Every double in the message, however deep.
void ForEachDouble(const google::protobuf::Message& message,
                   const std::function<void(const std::string&, double)>& f) {
  const auto* reflection = message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() == field->CPPTYPE_DOUBLE) {
      f(field->full_name(), reflection->GetDouble(message, field));
    } else if (field->cpp_type() == field->CPPTYPE_MESSAGE) {
      if (!field->is_repeated()) {
        ForEachDouble(reflection->GetMessage(message, field), f);
        continue;
      }
      for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
        ForEachDouble(reflection->GetRepeatedMessage(message, field, i), f);
      }
    }
  }
}

void ExpectFinite(const v1::Report& report) {
  ForEachDouble(report, [](const std::string& field, double value) {
    EXPECT_TRUE(std::isfinite(value)) << field << " = " << value;
  });
}

TEST(ReportTest, WithoutADecisionNothingIsClaimed) {
  InputBuilder builder({"control", "candidate"});
  const v1::Report report = MakeReport(builder.input());
  ExpectFinite(report);
  EXPECT_EQ(report.split().verdict(), v1::SplitCheck::TOO_FEW);
  EXPECT_EQ(report.next().action(), v1::NextStep::KEEP_GOING);
  EXPECT_FALSE(report.arms(0).has_probability_best());
  EXPECT_EQ(report.arms(0).latency_size(), 0);
  const v1::ArmMetric& candidate = report.metrics(0).arms(1);
  EXPECT_FALSE(candidate.mean().has_value());
  EXPECT_FALSE(candidate.difference().has_fixed());
  EXPECT_FALSE(candidate.difference().reason().empty());
}

// statsmodels 0.13: confint_proportions_2indep(600, 5000, 540, 5000,
// method="newcomb") and proportion_confint(540, 5000, method="wilson").
TEST(ReportTest, RatesOfRequestsAreComparedByNewcombeAndWilson) {
  InputBuilder builder({"control", "candidate"});
  builder.AddRate(0, 540, 5000);
  builder.AddRate(1, 600, 5000);
  const v1::Report report = MakeReport(builder.input());
  ExpectFinite(report);
  EXPECT_FALSE(report.adaptive());
  const v1::ArmMetric& control = report.metrics(0).arms(0);
  EXPECT_EQ(control.count(), 5000u);
  EXPECT_DOUBLE_EQ(control.mean().value(), 0.108);
  EXPECT_NEAR(control.mean().fixed().low(), 0.0996958, 1e-6);
  EXPECT_NEAR(control.mean().fixed().high(), 0.1169060, 1e-6);
  const v1::ArmMetric& candidate = report.metrics(0).arms(1);
  EXPECT_NEAR(candidate.difference().fixed().low(), -0.00046199, 1e-7);
  EXPECT_NEAR(candidate.difference().fixed().high(), 0.02446815, 1e-7);
  EXPECT_NEAR(candidate.difference().p_fixed(), 0.0590376, 1e-6);
  EXPECT_NEAR(candidate.lift().value(), 1 / 9.0, 1e-9);
  EXPECT_NEAR(candidate.lift().fixed().high(), 0.239630, 1e-5);
  EXPECT_EQ(candidate.difference().fixed_method(), "Newcombe");
  // Looking at any time costs width.
  const v1::Interval& anytime = candidate.difference().anytime();
  EXPECT_LT(anytime.low(), candidate.difference().fixed().low());
  EXPECT_GT(anytime.high(), candidate.difference().fixed().high());
  EXPECT_EQ(report.next().action(), v1::NextStep::KEEP_GOING);
}

// STATS 3.10: 120 and 140 of 1000 with Beta(1, 1).
TEST(ReportTest, ThePosteriorSaysWhichArmIsBestAndWhatAMistakeCosts) {
  InputBuilder builder({"control", "candidate"});
  builder.AddRate(0, 120, 1000);
  builder.AddRate(1, 140, 1000);
  const v1::Report report = MakeReport(builder.input());
  EXPECT_NEAR(report.arms(1).probability_best(), 0.9078725864, 1e-8);
  EXPECT_NEAR(report.arms(0).probability_best(), 1 - 0.9078725864, 1e-8);
  EXPECT_NEAR(report.arms(1).expected_loss(), 0.00064618906, 1e-9);
}

TEST(ReportTest, OfACostTheLeastIsBest) {
  InputBuilder builder({"control", "candidate"});
  builder.input().metrics[0].cost = true;
  builder.AddRate(0, 400, 5000);
  builder.AddRate(1, 200, 5000);
  const v1::Report report = MakeReport(builder.input());
  EXPECT_GT(report.arms(1).probability_best(), 0.999);
  EXPECT_EQ(report.next().action(), v1::NextStep::PROMOTE);
  EXPECT_EQ(report.next().arm(), "candidate");
}

// Thirty users a side, two hundred requests each, who click always or never:
// what is known is what thirty users say.
TEST(ReportTest, ManyRequestsOfOneUserAreNotIndependent) {
  InputBuilder builder({"control", "candidate"});
  builder.input().unit = "x-user-id";
  for (int user = 0; user < 600; ++user) {
    const size_t arm = user % 2;
    const uint64_t unit = builder.random()();
    const double value = user % 4 < 2 ? 1 : 0;
    for (int i = 0; i < 200; ++i) {
      builder.Reward(builder.DecideFor(unit, arm, {0.5, 0.5}), value);
    }
  }
  const v1::Report by_user = MakeReport(builder.input());
  builder.input().unit.clear();
  const v1::Report by_request = MakeReport(builder.input());
  const auto width = [](const v1::Report& report) {
    const v1::Interval& fixed = report.metrics(0).arms(1).difference().fixed();
    return fixed.high() - fixed.low();
  };
  // The root of 200, within the error of 64 buckets.
  EXPECT_NEAR(width(by_user) / width(by_request), std::sqrt(200.0), 4);
  EXPECT_THAT(by_user.metrics(0).arms(1).difference().fixed_method(),
              HasSubstr("unit buckets"));
}

// In the morning all are good and the candidate gets a tenth, in the evening
// all are bad and it gets nine tenths: there is no difference, though the plain
// means are far apart.
TEST(ReportTest, SharesThatMovedDoNotPassForAnEffect) {
  InputBuilder builder({"control", "candidate"});
  builder.input().learns = true;
  builder.input().policy = "thompson";
  std::uniform_real_distribution<double> uniform;
  double sum[2] = {}, n[2] = {};
  for (const bool morning : {true, false}) {
    const std::vector<double> p =
        morning ? std::vector{0.9, 0.1} : std::vector{0.1, 0.9};
    for (int i = 0; i < 20'000; ++i) {
      const size_t arm = uniform(builder.random()) < p[1] ? 1 : 0;
      const double value =
          uniform(builder.random()) < (morning ? 0.8 : 0.2) ? 1 : 0;
      builder.Reward(builder.Decide(arm, p), value);
      sum[arm] += value;
      n[arm] += 1;
    }
  }
  EXPECT_GT(sum[0] / n[0] - sum[1] / n[1], 0.4);
  const v1::Report report = MakeReport(builder.input());
  EXPECT_TRUE(report.adaptive());
  const v1::ArmMetric& candidate = report.metrics(0).arms(1);
  EXPECT_NEAR(candidate.mean().value(), 0.5, 0.03);
  EXPECT_LT(candidate.difference().anytime().low(), 0);
  EXPECT_GT(candidate.difference().anytime().high(), 0);
  EXPECT_EQ(report.next().action(), v1::NextStep::KEEP_GOING);
  EXPECT_EQ(report.split().verdict(), v1::SplitCheck::SOUND);
}

TEST(ReportTest, AFixedSplitThatMovedIsTreatedAsAdaptive) {
  InputBuilder builder({"control", "candidate"});
  for (int i = 0; i < 2000; ++i) {
    const double p = i < 1000 ? 0.5 : 0.1;
    const size_t arm = i % 2;
    builder.Reward(builder.Decide(arm, {1 - p, p}), 0);
  }
  EXPECT_TRUE(MakeReport(builder.input()).adaptive());
}

TEST(ReportTest, ManyComparisonsShareAlphaAndAreAdjusted) {
  InputBuilder two({"control", "a"});
  InputBuilder three({"control", "a", "b"});
  for (InputBuilder* builder : {&two, &three}) {
    builder->AddRate(0, 100, 1000);
    builder->AddRate(1, 130, 1000);
  }
  three.AddRate(2, 100, 1000);
  const v1::Report few = MakeReport(two.input());
  const v1::Report more = MakeReport(three.input());
  const v1::Effect& alone = few.metrics(0).arms(1).difference();
  const v1::Effect& among = more.metrics(0).arms(1).difference();
  EXPECT_DOUBLE_EQ(alone.p_adjusted(), alone.p_fixed());
  EXPECT_DOUBLE_EQ(among.p_adjusted(), 2 * among.p_fixed());
  EXPECT_GT(among.fixed().high() - among.fixed().low(),
            alone.fixed().high() - alone.fixed().low());
}

TEST(ReportTest, LatencyQuantilesComeFromTheHistogram) {
  InputBuilder builder({"control", "candidate"});
  stats::LogLinearHistogram histogram;
  for (int ms = 1; ms <= 10'000; ++ms) histogram.Record(ms * 10'000u);
  learning::latency_cells::Add(histogram,
                               absl::MakeSpan(builder.input().arms[1].latency));
  const v1::Report report = MakeReport(builder.input());
  ASSERT_EQ(report.arms(1).latency_size(), 3);
  const double expected[] = {50, 95, 99};
  for (int i = 0; i < 3; ++i) {
    const v1::QuantileReport& quantile = report.arms(1).latency(i);
    EXPECT_THAT(quantile.value(), DoubleNear(expected[i], expected[i] * 0.032));
    EXPECT_LT(quantile.anytime().low(), expected[i]);
    EXPECT_GT(quantile.anytime().high(), expected[i]);
  }
}

TEST(ReportTest, TheInputIsAsLargeForManyDecisionsAsForFew) {
  InputBuilder builder({"control", "candidate"});
  const size_t none = builder.input().bytes();
  builder.AddRate(0, 10, 1000);
  EXPECT_EQ(builder.input().bytes(), none);
  EXPECT_LT(none, 64u << 10);
}

}  // namespace
}  // namespace bandit::report
