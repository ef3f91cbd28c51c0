// SPDX-License-Identifier: Apache-2.0
#include "router/simulation/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "router/config/field_rule.h"
#include "router/simulation/example_world.h"
#include "tests/unit/simulation/fixture.h"

namespace bandit::simulation {
namespace {

using testing::ConfigOf;
using ::testing::HasSubstr;
using testing::kClick;
using testing::NoVariables;
using testing::SceneOf;

constexpr std::string_view kContext =
    "    unit: {metadata: x-user}\n"
    "    metrics: [{name: click, kind: binary}]\n"
    "    context:\n"
    "      features:\n"
    "        - {name: device, metadata: x-device, categories: [ios, web]}\n"
    "        - {name: length, metadata: x-length, transform: log1p}\n";
constexpr std::string_view kRevenue =
    "    metrics: [{name: revenue, kind: continuous, min: 0}]\n";
constexpr std::string_view kLatency = "    reward: {metric: latency_ms}\n";
constexpr std::string_view kWeighted =
    "    metrics: [{name: click, kind: binary}, {name: stars, kind: "
    "continuous}]\n"
    "    reward: {weights: {click: 1, stars: 0.5, latency_ms: -0.01}}\n";

// What is said of a world that is wrong.
std::string Said(std::string_view experiment, std::string_view world) {
  const auto contenders =
      MakeContenders(ConfigOf("{name: fixed_split}", experiment), "ranker", {});
  const auto read = ReadWorld(world, "world.yaml", NoVariables,
                              contenders->all[0].plan->experiments[0]);
  return read.ok() ? "" : std::string(read.status().message());
}

struct Case {
  std::string_view experiment;
  std::string world;
  std::string said;
};

TEST(WorldTest, SaysWhatIsWrongWhereAndWhatWasExpected) {
  const std::string both =
      "arms: [{name: old, reward: {mean: 0.3}}, {name: new, reward: {mean: "
      "0.4}}]\n";
  const std::vector<Case> cases = {
      {kClick, "arms:\n  - {name: old, reward: {mean: 0.3}}\n",
       "world.yaml:1: arms has no new, expected every arm of ranker: old or "
       "new"},
      {kClick,
       "arms:\n  - {name: old, reward: {mean: 0.3}}\n"
       "  - {name: nwe, reward: {mean: 0.3}}\n",
       "world.yaml:3: arms.nwe.name = \"nwe\" is not one of the arms of "
       "ranker, expected old or new, did you mean \"new\"?"},
      {kClick, "arms: [{name: old, reward: {mean: 1.3}}]\n",
       "arms.old.reward.mean = 1.3 is no mean of click, which is 0 or 1, "
       "expected a number in [0, 1]"},
      {kClick, "arms: [{name: old, reward: {maen: 0.3}}]\n",
       "arms.old.reward has no field \"maen\", expected mean, sd, effects, "
       "link or changes, did you mean \"mean\"?"},
      {kClick, "arms: [{name: old}]\n",
       "arms.old has no reward, expected what click is there"},
      {kClick, "arms: [{name: old, reward: {mean: 0.3, sd: 1}}]\n",
       "arms.old.reward.sd is given, but click is 0 or 1"},
      {kClick,
       "arms: [{name: old, reward: {mean: 0.3, effects: {length: 1}}}]\n",
       "arms.old.reward.effects.length is no column of ranker's features, "
       "expected none"},
      {kContext,
       "arms: [{name: old, reward: {mean: 0.3, effects: {device=isso: 1}}}]\n",
       "is no column of ranker's features, expected device=ios, device=web or "
       "length, did you mean \"device=ios\"?"},
      {kClick,
       "arms:\n  - name: old\n    reward:\n      mean: 0.3\n      changes:\n"
       "        - {at: 10m, over: 5m, mean: 0.2}\n"
       "        - {at: 12m, mean: 0.1}\n",
       "world.yaml:7: arms.old.reward.changes[1].at = 12m is before the last "
       "change has ended, expected at least 15m"},
      {kClick,
       "arms: [{name: old, reward: {mean: 0.3, changes: [{at: 1m, "
       "mean: 2}]}}]\n",
       "changes[0].mean = 2 is no mean of click"},
      {kRevenue, "arms: [{name: old, reward: {mean: 5, link: logistic}}]\n",
       "arms.old.reward.link is logistic, but revenue is no probability"},
      {kLatency, "arms: [{name: old, reward: {mean: 5}}]\n",
       "arms.old.reward is given, but the reward is what the router measures, "
       "expected `latency`, `error` or `response_bytes`"},
      {kLatency, "arms: [{name: old}]\n",
       "arms.old has no latency, which the reward is made of"},
      {kLatency,
       "arms: [{name: old, latency: {median: 10ms, p99: 5ms}}]\nlost: 0.1\n",
       "world.yaml:1: arms.old.latency.p99 = 5ms is below the median 10ms"},
      {kLatency, "arms: [{name: old, latency: {median: 10ms}}]\nlost: 0.1\n",
       "world.yaml:2: lost is of rewards that are fed back"},
      {kWeighted, "arms: [{name: old, reward: {mean: 5}}]\n",
       "arms.old.reward is given, but the reward is weighted, expected "
       "`metrics` with click or stars"},
      {kWeighted,
       "arms: [{name: old, latency: {median: 1ms}, metrics: {clik: {mean: "
       "0.5}}}]\n",
       "arms.old.metrics.clik is no part of the reward that is fed back, "
       "expected click or stars, did you mean \"click\"?"},
      {kWeighted,
       "arms: [{name: old, latency: {median: 1ms}, metrics: {click: {mean: "
       "0.5}}}]\n",
       "arms.old.metrics has no stars, which the reward is made of"},
      {kClick, both + "units: {number: 5}\n",
       "world.yaml:2: units is given, but experiment ranker has no `unit`"},
      {kContext, both + "features: {devise: {shares: {ios: 1}}}\n",
       "features.devise is no feature of ranker, expected device or length, "
       "did you mean \"device\"?"},
      {kContext, both + "features: {device: {shares: {ois: 1}}}\n",
       "features.device.shares.ois is no category, expected ios or web, did "
       "you mean \"ios\"?"},
      {kContext, both + "features: {device: {shares: {ios: 0.7, web: 0.5}}}\n",
       "features.device.shares = 1.2 in all, expected at most 1"},
      {kContext, both + "features: {device: {mean: 3}}\n",
       "features.device.mean is of a number, but the feature has categories"},
      {kContext, both + "features: {length: {shape: lognormal, mean: -1}}\n",
       "features.length is lognormal, expected a mean above 0"},
      {kContext, both + "features: {length: {shape: skewed, mean: 1}}\n",
       "features.length.shape = \"skewed\" is unknown, expected normal, "
       "lognormal or uniform"},
      {kClick, both + "rate: fast\n",
       "world.yaml:2: rate = \"fast\" is not a finite number"},
      {kClick, both + "rate: 0\n", "rate = 0 is outside"},
      {kClick, both + "delay: {median: soon}\n",
       "delay.median = \"soon\" is not a duration"},
      {kClick, "arms: {old: 0.3}\n", "arms is a map, expected a list"},
      {kClick, "rate: 5\n", "arms is missing"},
      {kClick, "", "world.yaml:1: the file is empty, expected `arms`"},
  };
  for (const Case& one : cases) {
    EXPECT_THAT(Said(one.experiment, one.world), HasSubstr(one.said))
        << one.world;
  }
}

TEST(WorldTest, MeansAloneMakeAWorld) {
  EXPECT_EQ(Said(kClick,
                 "arms: [{name: new, reward: {mean: 0.4}}, {name: old, reward: "
                 "{mean: 0.3}}]\n"),
            "");
}

TEST(WorldTest, AnExampleIsAWorldWhateverTheReward) {
  for (const std::string_view experiment :
       {kClick, kContext, kRevenue, kLatency, kWeighted,
        std::string_view("    reward: {metric: cost}\n"),
        std::string_view("    reward: {metric: error}\n"),
        std::string_view("    reward: {metric: response_bytes}\n"),
        std::string_view("    metrics: [{name: x, kind: continuous, min: -1, "
                         "max: 1}]\n")}) {
    const auto contenders = MakeContenders(
        ConfigOf("{name: fixed_split}", experiment), "ranker", {});
    const std::string example =
        ExampleWorld(contenders->all[0].plan->experiments[0]);
    EXPECT_EQ(Said(experiment, example), "") << example;
  }
}

// Every field that a world can hold.
void Collect(const google::protobuf::Descriptor& type,
             std::set<const google::protobuf::FieldDescriptor*>* fields) {
  for (int i = 0; i < type.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *type.field(i);
    if (!fields->insert(&field).second || config::IsScalar(field)) continue;
    Collect(*field.message_type(), fields);
  }
}

// The reader relies on it.
TEST(WorldTest, TheSchemasDefaultsAndLimitsCanBeRead) {
  std::set<const google::protobuf::FieldDescriptor*> fields;
  Collect(*v1::World::descriptor(), &fields);
  EXPECT_GT(fields.size(), 30u);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    const v1::FieldRule& rule = config::RuleOf(*field);
    EXPECT_FALSE(rule.required() && !rule.default_value().empty());
    for (const std::string& value :
         {rule.default_value(), rule.min(), rule.max()}) {
      if (value.empty()) continue;
      const std::unique_ptr<google::protobuf::Message> message(
          google::protobuf::MessageFactory::generated_factory()
              ->GetPrototype(field->containing_type())
              ->New());
      EXPECT_TRUE(config::SetScalar(*field, value, message.get()).ok())
          << field->full_name() << " = " << value;
    }
  }
}

// The values that policies are measured by.
std::vector<double> Values(std::string_view experiment,
                           std::string_view world) {
  const auto scene =
      SceneOf(ConfigOf("{name: fixed_split}", experiment), world);
  std::vector<double> values(2);
  scene.world->Values(0, {}, absl::MakeSpan(values));
  return values;
}

TEST(WorldTest, ARequestThatFailsHasTheDefaultOrNothing) {
  constexpr std::string_view kWorld =
      "arms:\n"
      "  - {name: old, reward: {mean: 0.4}, error: 0.5}\n"
      "  - {name: new, reward: {mean: 0.4}}\n"
      "lost: 0.9\n";
  EXPECT_THAT(Values("    metrics: [{name: click, kind: binary, default: 1}]\n",
                     kWorld),
              ::testing::ElementsAre(0.7, 0.4));
  EXPECT_THAT(Values(kClick, kWorld), ::testing::ElementsAre(0.4, 0.4));
}

TEST(WorldTest, AWeightedRewardIsTheSumOfItsParts) {
  const std::vector<double> values =
      Values(kWeighted,
             "arms:\n"
             "  - {name: old, latency: {median: 20ms}, metrics: {click: {mean: "
             "0.3}, stars: {mean: 4}}}\n"
             "  - {name: new, latency: {median: 10ms}, metrics: {click: {mean: "
             "0.2}, stars: {mean: 5}}}\n");
  EXPECT_NEAR(values[0], 0.3 + 2 - 0.2, 1e-12);
  EXPECT_NEAR(values[1], 0.2 + 2.5 - 0.1, 1e-12);
}

TEST(WorldTest, WhatIsMeasuredIsACost) {
  const auto scene =
      SceneOf(ConfigOf("{name: fixed_split}", "    reward: {metric: cost}\n"),
              "arms: [{name: old}, {name: new}]\n");
  std::vector<double> values(2);
  scene.world->Values(0, {}, absl::MakeSpan(values));
  EXPECT_THAT(values, ::testing::ElementsAre(2, 0));
  EXPECT_EQ(scene.world->sign(), -1);
}

}  // namespace
}  // namespace bandit::simulation
