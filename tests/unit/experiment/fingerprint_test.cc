// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "router/experiment/plan.h"

namespace bandit::experiment {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::ExperimentConfig Config() {
  v1::ExperimentConfig config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(R"(
      name: 'ranker' salt: 'ranker' control: 'control'
      match { service: 'a.B' }
      unit { metadata: 'x-user' }
      arms { name: 'control' backend: 'a' weight: 90 }
      arms { name: 'candidate' backend: 'b' weight: 10
             model { name: 'ranker' version: '2' } }
      policy { name: 'thompson' floor: 0.01 }
      reward { metric: 'click' }
      metrics { name: 'click' kind: METRIC_KIND_BINARY
                window { seconds: 1800 } default: 0 }
      context {
        features { name: 'n' metadata: 'x-n' scale: 1 }
        features { name: 'device' metadata: 'x-device' categories: 'ios'
                   categories: 'web' scale: 1 }
      })",
                                                            &config));
  return config;
}

using Edit = std::function<void(v1::ExperimentConfig*)>;

std::vector<std::string> Changes(const v1::ExperimentConfig& before,
                                 const Edit& edit) {
  v1::ExperimentConfig after = before;
  edit(&after);
  return EpochChanges(Fingerprint(before), Fingerprint(after));
}
std::vector<std::string> Changes(const Edit& edit) {
  return Changes(Config(), edit);
}

// Frozen: another text would start a new epoch for everybody who upgrades.
TEST(FingerprintTest, IsFrozen) {
  auto config = Config();
  config.mutable_policy()->set_name("fixed_split");
  EXPECT_EQ(Fingerprint(config),
            "arms: \"control\" \"a\" \"\" \"\" \"candidate\" \"b\" \"ranker\" "
            "\"2\"\n"
            "unit: \"x-user\"\n"
            "salt: \"ranker\"\n"
            "reward: \"click\"\n"
            "metrics: \"click\" 1 1800s+0ns 0 - -\n"
            "features: \"n\" \"x-n\" 0 0 1 0 - - \"device\" \"x-device\" "
            "\"ios\" \"web\" 0 0 1 0 - -\n"
            "weights: 0.9 0.1\n");
}

TEST(FingerprintTest, WhatDoesNotBiasStartsNoEpoch) {
  const std::vector<Edit> edits = {
      [](auto* c) {},
      [](auto* c) { c->mutable_policy()->set_name("ucb1"); },
      [](auto* c) { c->mutable_policy()->set_floor(0.1); },
      [](auto* c) { (*c->mutable_policy()->mutable_params())["prior"] = 2; },
      [](auto* c) { c->set_control("candidate"); },
      [](auto* c) { c->add_match()->set_service("c.D"); },
      // thompson has no use for weights.
      [](auto* c) { c->mutable_arms(0)->set_weight(1); },
  };
  for (const Edit& edit : edits) EXPECT_THAT(Changes(edit), IsEmpty());
}

TEST(FingerprintTest, WhatBiasesIsNamed) {
  const std::vector<std::pair<std::string, Edit>> edits = {
      {"arms", [](auto* c) { c->mutable_arms(0)->set_name("old"); }},
      {"arms", [](auto* c) { c->mutable_arms(0)->set_backend("b"); }},
      {"arms", [](auto* c) { c->mutable_arms()->SwapElements(0, 1); }},
      {"arms", [](auto* c) { c->mutable_arms()->RemoveLast(); }},
      {"arms",
       [](auto* c) { c->mutable_arms(1)->mutable_model()->set_version("3"); }},
      {"unit", [](auto* c) { c->clear_unit(); }},
      {"salt", [](auto* c) { c->set_salt("again"); }},
      {"reward", [](auto* c) { c->mutable_reward()->set_metric("error"); }},
      {"metrics",
       [](auto* c) {
         c->mutable_metrics(0)->mutable_window()->set_seconds(60);
       }},
      {"metrics", [](auto* c) { c->mutable_metrics(0)->clear_default_(); }},
      {"metrics", [](auto* c) { c->mutable_metrics(0)->set_max(1); }},
      {"features",
       [](auto* c) {
         c->mutable_context()->mutable_features(0)->set_missing(1);
       }},
      {"features",
       [](auto* c) {
         c->mutable_context()->mutable_features(1)->add_categories("tv");
       }},
      {"features", [](auto* c) { c->clear_context(); }},
  };
  for (const auto& [part, edit] : edits) {
    EXPECT_THAT(Changes(edit), ElementsAre(part));
  }
}

TEST(FingerprintTest, SharesOfARunningSplitCount) {
  auto split = Config();
  split.mutable_policy()->set_name("fixed_split");
  EXPECT_THAT(
      Changes(split, [](auto* c) { c->mutable_arms(1)->set_weight(20); }),
      ElementsAre("weights"));
  // 9 to 1 is 90 to 10.
  EXPECT_THAT(Changes(split,
                      [](auto* c) {
                        c->mutable_arms(0)->set_weight(9);
                        c->mutable_arms(1)->set_weight(1);
                      }),
              IsEmpty());
}

// Both ways, though only one of the two fingerprints has weights.
TEST(FingerprintTest, APolicySwapKeepsWhatWasLearned) {
  auto split = Config();
  split.mutable_policy()->set_name("fixed_split");
  EXPECT_THAT(
      Changes(split, [](auto* c) { c->mutable_policy()->set_name("ucb1"); }),
      IsEmpty());
  EXPECT_THAT(
      Changes([](auto* c) { c->mutable_policy()->set_name("fixed_split"); }),
      IsEmpty());
}

// What Load fills in is what is assumed without it.
TEST(FingerprintTest, DefaultsNeedNotBeWritten) {
  EXPECT_THAT(Changes([](auto* c) {
                c->clear_salt();
                c->clear_reward();
              }),
              IsEmpty());
}

TEST(FingerprintTest, ValuesCannotForgeOtherParts) {
  EXPECT_THAT(Changes([](auto* c) { c->set_salt("ranker\"\nunit: \"y"); }),
              ElementsAre("salt"));
  const Edit one = [](auto* c) {
    c->mutable_context()->mutable_features(1)->set_categories(0, "ios\" \"web");
    c->mutable_context()
        ->mutable_features(1)
        ->mutable_categories()
        ->RemoveLast();
  };
  EXPECT_THAT(Changes(one), ElementsAre("features"));
}

// An unreadable one, as from another version: everything differs.
TEST(FingerprintTest, AnythingElseIsAnotherEpoch) {
  EXPECT_THAT(
      EpochChanges("", Fingerprint(Config())),
      ElementsAre("arms", "features", "metrics", "reward", "salt", "unit"));
  EXPECT_THAT(EpochChanges("0123abcd", Fingerprint(Config())),
              testing::SizeIs(6));
  EXPECT_THAT(EpochChanges(Fingerprint(Config()), ""), testing::SizeIs(6));
}

// States of before there were layers and metadata must keep their epochs.
TEST(FingerprintTest, LayersAndMetadataAreInItOnlyWhereTheyAreUsed) {
  v1::ExperimentConfig config;
  config.set_name("e");
  config.add_arms()->set_name("a");
  const std::string plain = Fingerprint(config);
  EXPECT_EQ(plain.find("layer"), std::string::npos);
  EXPECT_EQ(plain.find('+'), std::string::npos);

  v1::LayerConfig layer;
  layer.set_name("l");
  const std::string layered = Fingerprint(config, &layer);
  EXPECT_EQ(EpochChanges(plain, layered), std::vector<std::string>{"layer"});
  EXPECT_EQ(EpochChanges(layered, plain), std::vector<std::string>{"layer"});
  layer.set_salt("l");  // The default.
  EXPECT_EQ(Fingerprint(config, &layer), layered);
  layer.set_salt("m");
  EXPECT_NE(Fingerprint(config, &layer), layered);
  // Whom the layer holds out, and the part that is taken, bias nothing.
  layer.set_salt("l");
  layer.set_holdout(0.5);
  config.mutable_layer()->set_to(0.5);
  EXPECT_EQ(Fingerprint(config, &layer), layered);

  (*config.mutable_arms(0)->mutable_metadata())["x-a"] = "1";
  EXPECT_EQ(EpochChanges(layered, Fingerprint(config, &layer)),
            std::vector<std::string>{"arms"});
}

}  // namespace
}  // namespace bandit::experiment
