// SPDX-License-Identifier: Apache-2.0
#include "examples/demo/router_config.h"

#include <string>

#include "examples/demo/story.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "policies/policy.h"
#include "router/config/load.h"

namespace bandit::demo {
namespace {

using ::testing::ElementsAre;

std::string ForPolicy(std::string_view policy) {
  return RouterConfig(
      {.policy = std::string(policy),
       .state_path = "/some where/state.db",
       .variants = {{"small", "127.0.0.1:1001"}, {"large", "127.0.0.1:1002"}}});
}

absl::StatusOr<config::LoadedConfig> Load(const std::string& text) {
  return config::LoadText(text, "router.yaml",
                          [](std::string_view) { return std::nullopt; });
}

TEST(RouterConfigTest, LoadsWithEveryPolicy) {
  for (const policies::PolicyInfo* policy : policies::AllPolicies()) {
    const auto config = Load(ForPolicy(policy->name));
    ASSERT_TRUE(config.ok()) << config.status().message();
    EXPECT_EQ(config->proto.experiments(0).policy().name(), policy->name);
  }
}

TEST(RouterConfigTest, HasAnArmForEachVariantAndNoFixedPort) {
  const auto config = Load(ForPolicy("linucb"));
  ASSERT_TRUE(config.ok()) << config.status().message();
  const v1::RouterConfig& router = config->proto;
  EXPECT_EQ(router.listen(), "127.0.0.1:0");
  EXPECT_EQ(router.control(), "127.0.0.1:0");
  EXPECT_EQ(router.admin(), "127.0.0.1:0");
  EXPECT_EQ(router.state(), "sqlite:///some where/state.db");
  EXPECT_THAT(router.backends().at("large").address(),
              ElementsAre("127.0.0.1:1002"));

  ASSERT_EQ(router.experiments_size(), 1);
  const v1::ExperimentConfig& experiment = router.experiments(0);
  EXPECT_EQ(experiment.name(), kExperiment);
  ASSERT_EQ(experiment.arms_size(), 2);
  EXPECT_EQ(experiment.arms(1).name(), "large");
  EXPECT_EQ(experiment.arms(1).backend(), "large");
  EXPECT_EQ(experiment.reward().metric(), kMetric);
  EXPECT_EQ(experiment.unit().metadata(), "x-user-id");
  EXPECT_EQ(experiment.context().features(0).metadata(), "x-device");
  EXPECT_THAT(experiment.context().features(0).categories(),
              ElementsAre("scanner", "camera"));
  EXPECT_EQ(experiment.guardrails_size(), 0);
}

TEST(RouterConfigTest, HasAGuardrailWhereItIsAskedFor) {
  const auto config =
      Load(RouterConfig({.policy = "thompson",
                         .state_path = "/state.db",
                         .variants = {{"small", "127.0.0.1:1001"}},
                         .guardrail = true}));
  ASSERT_TRUE(config.ok()) << config.status().message();
  const v1::ExperimentConfig& experiment = config->proto.experiments(0);
  ASSERT_EQ(experiment.guardrails_size(), 1);
  // What the demo's story counts as slow.
  EXPECT_EQ(experiment.guardrails(0).below(),
            absl::ToDoubleMilliseconds(kLatencyLimit));
}

}  // namespace
}  // namespace bandit::demo
