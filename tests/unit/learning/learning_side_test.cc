// SPDX-License-Identifier: Apache-2.0
// The learning side from a config, with the real policies and tokens.
#include "router/learning/learning_side.h"

#include <future>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/learning/fake_worker.h"
#include "tests/unit/store/temporary_directory.h"

namespace bandit::learning {
namespace {

using bandit::testing::FakeClock;
using bandit::testing::FakeWorker;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LearningSideTest : public ::testing::Test {
 protected:
  LearningSideTest() {
    config_.set_state(files_.StateUri());
    (*config_.mutable_backends())["b"].add_address("10.0.0.1:80");
    config_.mutable_learner()->mutable_tick()->set_nanos(1'000'000);
    config_.mutable_learner()->set_queue(1000);
    config_.mutable_learner()->mutable_silence_warning()->set_seconds(300);
    v1::ExperimentConfig* experiment = config_.add_experiments();
    experiment->set_name("ranker");
    for (const char* name : {"control", "candidate"}) {
      v1::ArmConfig* arm = experiment->add_arms();
      arm->set_name(name);
      arm->set_backend("b");
      arm->set_weight(1);
    }
    experiment->mutable_policy()->set_name("thompson");
    v1::MetricConfig* metric = experiment->add_metrics();
    metric->set_name("click");
    metric->set_kind(v1::METRIC_KIND_BINARY);
    metric->mutable_window()->set_seconds(60);
  }

  std::unique_ptr<LearningSide> Open() {
    auto side = LearningSide::Open(config_, &clock_);
    EXPECT_TRUE(side.ok()) << side.status();
    return *std::move(side);
  }

  std::string Token(const LearningSide& side, uint32_t arm, uint64_t id,
                    uint32_t epoch = 1) {
    experiment::Decision decision;
    decision.experiment = experiment::ExperimentId("ranker");
    decision.epoch = epoch;
    decision.arm = arm;
    decision.propensity = 0.5;
    decision.time_ms = absl::ToUnixMillis(clock_.Now());
    decision.id = id;
    std::string token;
    side.signer().Sign(decision, &token);
    return token;
  }

  std::vector<Outcome> Send(LearningSide& side, const std::string& token,
                            double value) {
    std::promise<std::vector<Outcome>> promise;
    auto decision = side.signer().Verify(token);
    EXPECT_TRUE(decision.ok()) << decision.status();
    const absl::Status taken = side.learner().Submit(
        {{.decision = *decision, .metric = "", .value = value}},
        [&](absl::StatusOr<Settled> settled) {
          promise.set_value(settled->outcomes);
        });
    EXPECT_TRUE(taken.ok()) << taken;
    return promise.get_future().get();
  }

  bandit::testing::TemporaryDirectory files_;
  FakeClock clock_;
  v1::RouterConfig config_;
};

TEST_F(LearningSideTest, LearnsAndGoesOnAfterARestart) {
  std::string token;
  {
    const auto side = Open();
    FakeWorker worker(side->learner().snapshot());
    side->learner().Start({&worker});
    for (uint64_t id = 0; id < 50; ++id) {
      Send(*side, Token(*side, 1, id), 1);
      Send(*side, Token(*side, 0, 100 + id), 0);
    }
    worker.AwaitTick();
    EXPECT_GT(side->learner().view()->experiments[0].arms[1].probability, 0.9);
    token = Token(*side, 1, 7777);
    side->learner().Stop();
  }
  // Made before the restart, with the key kept in the state.
  const auto side = Open();
  EXPECT_GT(side->learner().view()->experiments[0].arms[1].probability, 0.9);
  side->learner().Start({});
  EXPECT_THAT(Send(*side, token, 1), ElementsAre(Outcome::kAccepted));
  EXPECT_THAT(Send(*side, token, 1), ElementsAre(Outcome::kDuplicate));
  side->learner().Stop();
}

TEST_F(LearningSideTest, TheConfigsTokenKeyIsUsedAndNotKept) {
  config_.set_token_key("shared by replicas");
  std::string token;
  {
    const auto side = Open();
    token = Token(*side, 0, 1);
    EXPECT_TRUE(
        experiment::TokenSigner("shared by replicas").Verify(token).ok());
  }
  config_.clear_token_key();
  EXPECT_FALSE(Open()->signer().Verify(token).ok());
}

TEST_F(LearningSideTest, APolicySwapKeepsTheEpochAndNewArmsDoNot) {
  const auto side = Open();
  FakeWorker worker(side->learner().snapshot());
  side->learner().Start({&worker});
  Send(*side, Token(*side, 1, 1), 1);
  config_.mutable_experiments(0)->mutable_policy()->set_name("ucb1");
  ASSERT_TRUE(side->Adopt(config_).ok());
  EXPECT_EQ(side->learner().view()->experiments[0].epoch, 1u);
  EXPECT_EQ(side->learner().view()->experiments[0].policy, "ucb1");
  EXPECT_EQ(side->learner().view()->experiments[0].arms[1].reward_count, 1);
  EXPECT_EQ(worker.snapshot()->plan->experiments[0].policy_name, "ucb1");

  const std::string old_token = Token(*side, 1, 2);
  v1::ArmConfig* arm = config_.mutable_experiments(0)->add_arms();
  arm->set_name("third");
  arm->set_backend("b");
  arm->set_weight(1);
  ASSERT_TRUE(side->Adopt(config_).ok());
  EXPECT_EQ(side->learner().view()->experiments[0].epoch, 2u);
  EXPECT_EQ(side->learner().view()->experiments[0].arms[1].reward_count, 0);
  EXPECT_THAT(Send(*side, old_token, 1), ElementsAre(Outcome::kUnknown));
  EXPECT_THAT(Send(*side, Token(*side, 2, 3, 2), 1),
              ElementsAre(Outcome::kAccepted));
  side->learner().Stop();
}

TEST_F(LearningSideTest, AConfigThatCannotBeCompiledChangesNothing) {
  const auto side = Open();
  side->learner().Start({});
  v1::RouterConfig bad = config_;
  bad.mutable_experiments(0)->mutable_policy()->set_name("no such");
  bad.mutable_experiments(0)->add_arms()->set_name("third");
  EXPECT_EQ(side->Adopt(bad).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(side->learner().view()->experiments[0].policy, "thompson");
  ASSERT_TRUE(side->Adopt(config_).ok());
  EXPECT_EQ(side->learner().view()->experiments[0].epoch, 1u);
  side->learner().Stop();
}

TEST_F(LearningSideTest, AStateThatCannotBeOpenedIsNamed) {
  config_.set_state("sqlite://" + files_.File("no/such/dir/state.db"));
  const auto side = LearningSide::Open(config_, &clock_);
  EXPECT_EQ(side.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(side.status().message()),
              HasSubstr(files_.File("no/such/dir")));
}

}  // namespace
}  // namespace bandit::learning
