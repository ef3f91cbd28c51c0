// SPDX-License-Identifier: Apache-2.0
#include "router/learning/epochs.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::learning {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

v1::RouterConfig Config(const std::string& policy) {
  v1::RouterConfig config;
  v1::ExperimentConfig* experiment = config.add_experiments();
  experiment->set_name("ranker");
  experiment->add_arms()->set_name("a");
  experiment->add_arms()->set_name("b");
  experiment->mutable_policy()->set_name(policy);
  return config;
}

TEST(EpochsTest, AnUnknownExperimentStartsAtOne) {
  EXPECT_THAT(EpochNumbers(DecideEpochs(Config("ucb1"), {})),
              ElementsAre(Pair("ranker", 1)));
}

TEST(EpochsTest, TheSameExperimentAndASwappedPolicyGoOn) {
  const ExperimentRecords known = {
      {"ranker", {7, DecideEpochs(Config("ucb1"), {})["ranker"].fingerprint}}};
  EXPECT_EQ(DecideEpochs(Config("ucb1"), known)["ranker"].epoch, 7u);
  EXPECT_EQ(DecideEpochs(Config("thompson"), known)["ranker"].epoch, 7u);
}

TEST(EpochsTest, AnEditThatBiasesResultsTakesTheNext) {
  const ExperimentRecords known = {
      {"ranker", {7, DecideEpochs(Config("ucb1"), {})["ranker"].fingerprint}}};
  v1::RouterConfig edited = Config("ucb1");
  edited.mutable_experiments(0)->add_arms()->set_name("c");
  const ExperimentRecords records = DecideEpochs(edited, known);
  EXPECT_EQ(records.at("ranker").epoch, 8u);
  EXPECT_NE(records.at("ranker").fingerprint, known.at("ranker").fingerprint);
}

}  // namespace
}  // namespace bandit::learning
