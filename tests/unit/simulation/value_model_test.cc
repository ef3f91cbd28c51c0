// SPDX-License-Identifier: Apache-2.0
#include "router/simulation/value_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "google/protobuf/text_format.h"
#include "stats/moments.h"

namespace bandit::simulation {
namespace {

const std::vector<std::string> kColumns = {"intercept", "device=ios", "length"};

v1::WorldMetric Described(const std::string& text) {
  v1::WorldMetric metric;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &metric));
  return metric;
}

ValueModel Binary(const std::string& text) {
  return ValueModel(Described(text), {.kind = policies::RewardKind::kBinary},
                    kColumns);
}
ValueModel Continuous(const std::string& text, experiment::Metric metric = {}) {
  metric.kind = policies::RewardKind::kContinuous;
  return ValueModel(Described(text), metric, kColumns);
}

// The mean of many draws is the mean that is said, within four standard
// errors.
void ExpectDrawsHaveTheMean(const ValueModel& model, double seconds,
                            const std::vector<float>& x) {
  Random random(7);
  stats::Moments moments;
  for (int i = 0; i < 100'000; ++i) {
    moments.Add(model.Draw(seconds, x, random));
  }
  EXPECT_NEAR(moments.mean(), model.Mean(seconds, x),
              4 * std::sqrt(moments.variance() / moments.count) + 1e-12);
}

TEST(ValueModelTest, MeansChangeAtOnceOrInAStraightLine) {
  const ValueModel model = Binary(
      "mean: 0.5 changes { at { seconds: 10 } mean: 0.3 }"
      "changes { at { seconds: 20 } over { seconds: 10 } mean: 0.7 }");
  EXPECT_DOUBLE_EQ(model.Mean(9.99, {}), 0.5);
  EXPECT_DOUBLE_EQ(model.Mean(10, {}), 0.3);
  EXPECT_DOUBLE_EQ(model.Mean(20, {}), 0.3);
  EXPECT_DOUBLE_EQ(model.Mean(25, {}), 0.5);
  EXPECT_DOUBLE_EQ(model.Mean(30, {}), 0.7);
  EXPECT_DOUBLE_EQ(model.Mean(1e9, {}), 0.7);
  EXPECT_FALSE(model.constant());
}

TEST(ValueModelTest, EffectsOnABinaryMetricAreOfItsLogOdds) {
  const ValueModel model =
      Binary("mean: 0.5 effects { key: 'device=ios' value: 2 }");
  EXPECT_DOUBLE_EQ(model.Mean(0, {{1, 0, 5}}), 0.5);
  EXPECT_NEAR(model.Mean(0, {{1, 1, 5}}), 1 / (1 + std::exp(-2)), 1e-12);
  EXPECT_TRUE(model.contextual());
  ExpectDrawsHaveTheMean(model, 0, {1, 1, 5});
}

TEST(ValueModelTest, ALinearProbabilityIsCut) {
  const ValueModel model = Binary(
      "mean: 0.4 link: WORLD_LINK_LINEAR effects { key: 'length' value: 0.2 }");
  EXPECT_NEAR(model.Mean(0, {{1, 0, 1}}), 0.6, 1e-7);
  EXPECT_DOUBLE_EQ(model.Mean(0, {{1, 0, 100}}), 1);
  ExpectDrawsHaveTheMean(model, 0, {1, 0, 1});
  ExpectDrawsHaveTheMean(model, 0, {1, 0, 100});
}

TEST(ValueModelTest, AContinuousValueHasTheStandardDeviationOrThatOfItsMean) {
  Random random(3);
  for (const auto& [text, sd] : std::vector<std::pair<std::string, double>>{
           {"mean: 5 sd: 2", 2}, {"mean: -5", 5}, {"mean: 0", 1}}) {
    const ValueModel model = Continuous(text);
    stats::Moments moments;
    for (int i = 0; i < 100'000; ++i) moments.Add(model.Draw(0, {}, random));
    // The error of a normal sample's deviation is sd / sqrt(2 n).
    EXPECT_NEAR(std::sqrt(moments.variance()), sd, 4 * sd / std::sqrt(2e5))
        << text;
  }
}

TEST(ValueModelTest, ValuesAreCutToTheMetricsRangeAndTheMeanKnowsIt) {
  for (const auto& [low, high] :
       std::vector<std::pair<double, double>>{{0, 2}, {-9, 0.5}, {1.5, 9}}) {
    const ValueModel model =
        Continuous("mean: 1 sd: 1", {.min = low, .max = high});
    ExpectDrawsHaveTheMean(model, 0, {});
  }
  // Of a standard normal, what is above 0 has the mean 1 / sqrt(2 pi).
  EXPECT_NEAR(MeanOfCutNormal(0, 1, 0, INFINITY),
              1 / std::sqrt(2 * std::numbers::pi), 1e-12);
  EXPECT_DOUBLE_EQ(MeanOfCutNormal(3, 1, -INFINITY, INFINITY), 3);
  EXPECT_DOUBLE_EQ(MeanOfCutNormal(3, 0, 0, 2), 2);
}

TEST(TimeModelTest, HasItsQuantilesAndItsMean) {
  v1::WorldTime described;
  described.mutable_median()->set_seconds(10);
  EXPECT_DOUBLE_EQ(TimeModel(described).Mean(), 10);
  Random same(1);
  EXPECT_DOUBLE_EQ(TimeModel(described).Draw(same), 10);

  described.mutable_p99()->set_seconds(60);
  const TimeModel model(described);
  Random random(1);
  int shorter = 0, longer = 0;
  stats::Moments moments;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    const double time = model.Draw(random);
    shorter += time < 10;
    longer += time > 60;
    moments.Add(time);
  }
  // Four binomial standard errors.
  EXPECT_NEAR(shorter, 0.5 * kDraws, 4 * std::sqrt(0.25 * kDraws));
  EXPECT_NEAR(longer, 0.01 * kDraws, 4 * std::sqrt(0.0099 * kDraws));
  EXPECT_NEAR(moments.mean(), model.Mean(),
              4 * std::sqrt(moments.variance() / kDraws));
}

}  // namespace
}  // namespace bandit::simulation
