// SPDX-License-Identifier: Apache-2.0
#include "router/report/segment_reports.h"

#include <cmath>

#include "gtest/gtest.h"
#include "router/report/report.h"
#include "tests/unit/report/input_builder.h"

namespace bandit::report {
namespace {

using bandit::testing::InputBuilder;

// The candidate is better on ios alone.
v1::Report OfTwoSegments(int requests) {
  InputBuilder builder({"control", "candidate"});
  builder.Segment({.name = "device", .key = "x-device", .values = {"ios"}});
  std::uniform_real_distribution<double> uniform;
  for (int i = 0; i < requests; ++i) {
    const size_t arm = builder.random()() % 2;
    auto decision = builder.Decide(arm, {0.5, 0.5});
    decision.segments = i % 2;
    const double rate = decision.segments == 1 && arm == 1 ? 0.3 : 0.2;
    builder.Reward(decision, uniform(builder.random()) < rate ? 1 : 0);
  }
  return MakeReport(builder.input());
}

TEST(SegmentReportsTest, AnEffectInOneSegmentIsFoundThere) {
  const v1::Report report = OfTwoSegments(40'000);
  ASSERT_EQ(report.segments_size(), 1);
  const v1::SegmentReport& device = report.segments(0);
  EXPECT_EQ(device.segment(), "device");
  ASSERT_EQ(device.values_size(), 2);
  EXPECT_EQ(device.values(0).value(), "ios");
  EXPECT_EQ(device.values(1).value(), "other");
  const v1::Effect& ios = device.values(0).arms(1).difference();
  const v1::Effect& other = device.values(1).arms(1).difference();
  EXPECT_NEAR(ios.value(), 0.1, 0.03);
  EXPECT_LT(ios.p_adjusted(), 0.001);
  EXPECT_GT(other.p_adjusted(), 0.01);
  EXPECT_LT(device.heterogeneity().at("candidate"), 0.001);
  uint64_t count = 0;
  for (const auto& value : device.values()) {
    for (const auto& arm : value.arms()) count += arm.count();
  }
  EXPECT_EQ(count, 40'000u);
}

TEST(SegmentReportsTest, FewDecisionsAreShownButNotTested) {
  const v1::Report report = OfTwoSegments(200);
  const v1::ArmMetric& candidate = report.segments(0).values(0).arms(1);
  EXPECT_GT(candidate.count(), 20u);
  EXPECT_FALSE(candidate.difference().has_p_adjusted());
  EXPECT_FALSE(candidate.difference().has_fixed());
  EXPECT_FALSE(candidate.difference().reason().empty());
}

// Users who click much before click much after.
TEST(CovariateReportTest, WhatWasKnownBeforeMakesTheIntervalShorter) {
  for (const bool units : {false, true}) {
    InputBuilder builder({"control", "candidate"});
    builder.input().covariate = true;
    builder.input().metrics[0].binary = false;
    if (units) builder.input().unit = "x-user-id";
    std::normal_distribution<double> normal;
    for (int user = 0; user < 4000; ++user) {
      const size_t arm = builder.random()() % 2;
      const uint64_t unit = builder.random()();
      const double prior = normal(builder.random());
      for (int i = 0; i < (units ? 5 : 1); ++i) {
        auto decision = builder.DecideFor(unit, arm, {0.5, 0.5});
        decision.covariate = static_cast<float>(prior);
        const double value = 0.05 * static_cast<double>(arm) + prior +
                             normal(builder.random()) / 2;
        builder.Reward(decision, value);
      }
    }
    const v1::Report report = MakeReport(builder.input());
    const v1::ArmMetric& candidate = report.metrics(0).arms(1);
    // rho^2 is 0.8 for a request, and 0.95 for five of one user.
    EXPECT_NEAR(candidate.variance_reduction(), units ? 0.95 : 0.8, 0.05);
    EXPECT_GT(candidate.adjusted().anytime().high(), 0.05);
    EXPECT_LT(candidate.adjusted().anytime().low(), 0.05);
    EXPECT_LT(candidate.adjusted().fixed().high() -
                  candidate.adjusted().fixed().low(),
              0.6 * (candidate.difference().fixed().high() -
                     candidate.difference().fixed().low()));
  }
}

}  // namespace
}  // namespace bandit::report
