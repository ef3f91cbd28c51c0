// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/compile_guardrails.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace bandit::experiment {
namespace {

using guardrails::Action;
using guardrails::Against;
using guardrails::Measure;
using ::testing::HasSubstr;

class CompileGuardrailsTest : public ::testing::Test {
 protected:
  CompileGuardrailsTest() {
    experiment_.metrics = {{.name = "click",
                            .kind = policies::RewardKind::kBinary,
                            .window = {},
                            .default_value = {},
                            .min = {},
                            .max = {}},
                           {.name = "score",
                            .kind = policies::RewardKind::kContinuous,
                            .window = {},
                            .default_value = {},
                            .min = -1,
                            .max = 3}};
  }

  const Guardrail& Compile(const std::string& text) {
    v1::ExperimentConfig config;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
        "name: 'ranker' guardrails {" + text + "}", &config));
    status_ = CompileGuardrails(config, &experiment_);
    return experiment_.guardrails.back();
  }

  Experiment experiment_;
  absl::Status status_;
};

// "p99 below 250" is a rate: at most 1 % may be above 250.
TEST_F(CompileGuardrailsTest, AQuantileBelowALimitIsARate) {
  const Guardrail& one =
      Compile("metric: 'latency_ms' quantile: 0.99 below: 250 alpha: 0.001");
  EXPECT_EQ(one.source, MetricSource::kLatencyMs);
  EXPECT_EQ(one.rule.name, "latency_ms p99 below 250");
  EXPECT_EQ(one.rule.measure, Measure::kRate);
  EXPECT_EQ(one.rule.counts_above, 250);
  EXPECT_NEAR(one.rule.bound, 0.01, 1e-15);
  EXPECT_EQ(one.rule.alpha, 0.001);
  EXPECT_EQ(one.rule.action, Action::kEject);
  EXPECT_FALSE(one.rule.relative());
}

TEST_F(CompileGuardrailsTest, AQuantileBesideTheControlIsARatio) {
  const Guardrail& one =
      Compile("metric: 'ttfb_ms' quantile: 0.5 below_control_times: 1.25");
  EXPECT_EQ(one.source, MetricSource::kTtfbMs);
  EXPECT_EQ(one.rule.name, "ttfb_ms p50 below control times 1.25");
  EXPECT_EQ(one.rule.measure, Measure::kQuantile);
  EXPECT_EQ(one.rule.against, Against::kControlTimes);
  EXPECT_EQ(one.rule.quantile, 0.5);
  EXPECT_EQ(one.rule.bound, 1.25);
}

TEST_F(CompileGuardrailsTest, ErrorsAndBinaryMetricsAreRates) {
  const Guardrail& error = Compile(
      "metric: 'error' below_control_plus: 0.02 "
      "action: GUARDRAIL_ACTION_ROLL_BACK");
  EXPECT_EQ(error.source, MetricSource::kError);
  EXPECT_EQ(error.rule.measure, Measure::kRate);
  EXPECT_EQ(error.rule.against, Against::kControlPlus);
  EXPECT_EQ(error.rule.action, Action::kRollBack);
  const Guardrail& click = Compile(
      "metric: 'click' above: 0.1 name: 'clicks' "
      "test: GUARDRAIL_TEST_THRESHOLD min_samples: 500 "
      "window { seconds: 90 }");
  EXPECT_EQ(click.source, MetricSource::kFeedback);
  EXPECT_EQ(click.metric, 0);
  EXPECT_TRUE(click.rule.above);
  EXPECT_EQ(click.rule.name, "clicks");
  EXPECT_EQ(click.rule.measure, Measure::kRate);
  EXPECT_EQ(click.rule.test, guardrails::Test::kThreshold);
  EXPECT_EQ(click.rule.min_samples, 500);
  EXPECT_EQ(click.rule.window, absl::Seconds(90));
}

TEST_F(CompileGuardrailsTest, MeansKnowTheirRange) {
  const Guardrail& score = Compile("metric: 'score' above_control_minus: 0.5");
  EXPECT_EQ(score.metric, 1);
  EXPECT_EQ(score.rule.measure, Measure::kMean);
  EXPECT_TRUE(score.rule.above);
  EXPECT_EQ(score.rule.min, -1);
  EXPECT_EQ(score.rule.max, 3);
  EXPECT_EQ(Compile("metric: 'response_bytes' below: 1e6").rule.name,
            "response_bytes below 1e+06");
}

TEST_F(CompileGuardrailsTest, AMetricMustBeThere) {
  Compile("metric: 'clicks' above: 0.5");
  EXPECT_EQ(status_.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status_.message()),
              HasSubstr("experiments.ranker.guardrails: clicks is not one of"));
}

}  // namespace
}  // namespace bandit::experiment
