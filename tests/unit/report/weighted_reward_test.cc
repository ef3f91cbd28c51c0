// SPDX-License-Identifier: Apache-2.0
#include "router/report/weighted_reward.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "gtest/gtest.h"
#include "router/learning/ledger.h"
#include "router/report/report.h"
#include "stats/moments.h"
#include "tests/unit/learning/test_plan.h"

namespace bandit::report {
namespace {

using bandit::testing::MakeDecision;
using bandit::testing::MakePlan;
using bandit::testing::Rating;
using experiment::MetricSource;

// Two metrics of the same decisions, which depend on each other, and their
// weighted sum decision by decision.
class WeightedRewardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    experiment::Metric score = Rating();
    score.name = "score";
    experiment::Metric weighted{.name = "@weighted",
                                .source = MetricSource::kWeighted,
                                .kind = policies::RewardKind::kContinuous};
    auto plan = *MakePlan(
        {{.metrics = {Rating(), score, weighted}, .reward_metric = 2}});
    plan.experiments[0].reward_parts = {
        {.source = MetricSource::kFeedback, .metric = 0, .weight = 2},
        {.source = MetricSource::kFeedback, .metric = 1, .weight = -1}};
    plan_ = std::make_shared<const experiment::Plan>(std::move(plan));
    ledger_ = std::make_unique<learning::Ledger>(plan_);
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal;
    for (uint64_t i = 1; i <= kDecisions; ++i) {
      const auto decision = MakeDecision(*plan_, 0, 0, 1000, random());
      const double rating = std::clamp(normal(random), -4.0, 4.0);
      const double score_value =
          std::clamp(rating + normal(random) / 4, -5.0, 5.0);
      Credit(decision, "rating", rating);
      Credit(decision, "score", score_value);
      sum_.Add(2 * rating - score_value);
    }
    ledger_->UpdateWeighted();
  }

  void Credit(const experiment::Decision& decision, const std::string& metric,
              double value) {
    const learning::Reward reward{
        .decision = decision, .metric = metric, .value = value};
    const auto verdict = ledger_->Judge(reward, absl::FromUnixMillis(1000));
    ASSERT_EQ(verdict.outcome, learning::Outcome::kAccepted);
    ledger_->Credit(reward, verdict);
    ledger_->Commit();
  }

  static constexpr uint64_t kDecisions = 4000;
  std::shared_ptr<const experiment::Plan> plan_;
  std::unique_ptr<learning::Ledger> ledger_;
  stats::Moments sum_;
};

// The variance is estimated from 64 buckets: within a third of the truth.
TEST_F(WeightedRewardTest, PoliciesGetTheMomentsOfTheSum) {
  const policies::ArmStatistics arm(plan_->experiments[0].layout(),
                                    ledger_->Center(0, 2),
                                    ledger_->Total(0, 2, 0));
  EXPECT_EQ(arm.count(), kDecisions);
  EXPECT_NEAR(arm.mean(), sum_.mean(), 1e-9);
  EXPECT_NEAR(arm.variance() / sum_.variance(), 1, 0.35);
  // Taken for independent the parts would give some five times that.
  EXPECT_LT(arm.variance(), 2);
}

TEST_F(WeightedRewardTest, ItIsToldOnceUntilAPartMoves) {
  EXPECT_TRUE(ledger_->TakeProgress(0).changed);
  ledger_->UpdateWeighted();
  EXPECT_FALSE(ledger_->TakeProgress(0).changed);
  Credit(MakeDecision(*plan_, 0, 1, 1000, 7), "rating", 1);
  ledger_->UpdateWeighted();
  // The other part of that arm is not known yet.
  EXPECT_FALSE(ledger_->TakeProgress(0).changed);
  Credit(MakeDecision(*plan_, 0, 1, 1000, 7), "score", 1);
  ledger_->UpdateWeighted();
  EXPECT_TRUE(ledger_->TakeProgress(0).changed);
}

TEST_F(WeightedRewardTest, ItsRewardsNameTheirMetric) {
  learning::Reward reward{.decision = MakeDecision(*plan_, 0, 0, 1000, 9),
                          .metric = "",
                          .value = 1};
  for (const char* metric : {"", "@weighted"}) {
    reward.metric = metric;
    EXPECT_EQ(ledger_->Judge(reward, absl::FromUnixMillis(1000)).outcome,
              learning::Outcome::kRejected);
  }
}

TEST_F(WeightedRewardTest, ReportsSeeTheSameMeanAndItsError) {
  learning::ExperimentView view{.name = "ranker"};
  view.arms.resize(2);
  const Input input = TakeInput(*ledger_, 0, view, absl::UnixEpoch());
  ASSERT_EQ(input.metrics[0].name, "weighted reward");
  const v1::Report report = MakeReport(input);
  const v1::Effect& mean = report.metrics(0).arms(0).mean();
  EXPECT_NEAR(mean.value(), sum_.mean(), 1e-9);
  const double width = mean.fixed().high() - mean.fixed().low();
  const double expected = 2 * 2 * std::sqrt(sum_.variance() / kDecisions);
  EXPECT_NEAR(width / expected, 1, 0.2);
}

}  // namespace
}  // namespace bandit::report
