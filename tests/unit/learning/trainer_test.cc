// SPDX-License-Identifier: Apache-2.0
#include "router/learning/trainer.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/learning/test_plan.h"

namespace bandit::learning {
namespace {

using bandit::testing::Latency;
using bandit::testing::MakeDecision;
using bandit::testing::MakePlan;
using bandit::testing::Rating;
using bandit::testing::RecordingPolicy;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1000);

class TrainerTest : public ::testing::Test {
 protected:
  void Use(experiment::Metric metric, int features = 1) {
    plan_ = MakePlan(
        {{.metrics = {metric}, .features = features, .policy = policy_}});
    ledger_ = std::make_unique<Ledger>(plan_);
    auto started = Trainer::Start(plan_);
    ASSERT_TRUE(started.ok()) << started.status();
    trainer_ = *std::move(started);
    policy_->calls.clear();
  }

  void Reward1(double value, std::vector<float> x) {
    const Reward reward{
        .decision = MakeDecision(*plan_, 0, 0, 1'000'000, ++id_, 0.5, x),
        .metric = "",
        .value = value};
    ledger_->Credit(reward, ledger_->Judge(reward, kNow));
    ledger_->Commit();
  }

  std::shared_ptr<RecordingPolicy> policy_ =
      std::make_shared<RecordingPolicy>();
  std::shared_ptr<const experiment::Plan> plan_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Trainer> trainer_;
  uint64_t id_ = 0;
};

TEST_F(TrainerTest, StartsWithModelsThatHaveLearnedNothing) {
  Use(Rating());
  const auto snapshot = trainer_->snapshot();
  EXPECT_EQ(snapshot->plan, plan_);
  ASSERT_THAT(snapshot->models, SizeIs(1));
  EXPECT_NE(snapshot->models[0], nullptr);
  EXPECT_EQ(snapshot->eligible[0], policies::AllArms(2));
}

TEST_F(TrainerTest, WhatHasNotChangedIsNotPreparedAgain) {
  Use(Rating());
  const auto before = trainer_->snapshot();
  ASSERT_TRUE(trainer_->Train(*ledger_).ok());
  EXPECT_THAT(policy_->calls, SizeIs(0));
  EXPECT_EQ(trainer_->snapshot(), before);
  Reward1(1, {1, 1});
  ASSERT_TRUE(trainer_->Train(*ledger_).ok());
  EXPECT_THAT(policy_->calls, SizeIs(1));
  EXPECT_NE(trainer_->snapshot(), before);
}

TEST_F(TrainerTest, FreshRewardsComeWithTheModelThatLacksThem) {
  Use(Rating());
  Reward1(3, {1, 2});
  ASSERT_TRUE(trainer_->Train(*ledger_).ok());
  ASSERT_THAT(policy_->calls, SizeIs(1));
  EXPECT_TRUE(policy_->calls[0].had_previous);
  EXPECT_EQ(policy_->calls[0].fresh, 1u);
  EXPECT_EQ(policy_->calls[0].first_fresh, 3);
  EXPECT_THAT(policy_->calls[0].counts, ElementsAre(1, 0));
  EXPECT_THAT(policy_->calls[0].means, ElementsAre(3, 0));
}

TEST_F(TrainerTest, AfterAFailureThePolicyStartsOver) {
  Use(Rating());
  const auto before = trainer_->snapshot();
  policy_->error = absl::InvalidArgumentError("no");
  Reward1(3, {1, 2});
  const absl::Status failed = trainer_->Train(*ledger_);
  EXPECT_THAT(
      std::string(failed.message()),
      ::testing::AllOf(HasSubstr("experiments.ranker"), HasSubstr("thompson")));
  EXPECT_EQ(trainer_->snapshot(), before);
  policy_->error = absl::OkStatus();
  Reward1(5, {1, 2});
  ASSERT_TRUE(trainer_->Train(*ledger_).ok());
  EXPECT_FALSE(policy_->calls.back().had_previous);
  EXPECT_THAT(policy_->calls.back().counts, ElementsAre(2, 0));
  EXPECT_NE(trainer_->snapshot(), before);
}

TEST_F(TrainerTest, OneFailingPolicyDoesNotHoldTheOthersBack) {
  const auto other = std::make_shared<RecordingPolicy>();
  plan_ = MakePlan({{.metrics = {Rating()}, .policy = policy_},
                    {.name = "other", .metrics = {Rating()}, .policy = other}});
  ledger_ = std::make_unique<Ledger>(plan_);
  trainer_ = *Trainer::Start(plan_);
  policy_->error = absl::InvalidArgumentError("no");
  for (size_t e = 0; e < 2; ++e) {
    const Reward reward{.decision = MakeDecision(*plan_, e, 0, 1'000'000, 1),
                        .metric = "",
                        .value = 1};
    ledger_->Credit(reward, ledger_->Judge(reward, kNow));
  }
  ledger_->Commit();
  EXPECT_FALSE(trainer_->Train(*ledger_).ok());
  EXPECT_THAT(other->calls.back().counts, ElementsAre(1, 0));
}

TEST_F(TrainerTest, APolicyThatCannotStartIsAnError) {
  policy_->error = absl::InvalidArgumentError("no");
  const auto plan = MakePlan({{.policy = policy_}});
  EXPECT_FALSE(Trainer::Start(plan).ok());
}

// Two calls of 2 ms and 4 ms on arm 0: a reward of -3 on average.
TEST_F(TrainerTest, AMeasuredMetricIsACost) {
  Use(Latency());
  WorkerStatistics worker(plan_);
  worker.OnFinish(0, MakeDecision(*plan_, 0, 0, 0, 1, 0.5, {1, 10}),
                  {.latency_ns = 2'000'000});
  worker.OnFinish(0, MakeDecision(*plan_, 0, 0, 0, 2, 0.5, {1, 100}),
                  {.latency_ns = 4'000'000});
  ledger_->AddBuiltin(0, worker.Take()->experiments[0].builtin_reward);
  ASSERT_TRUE(trainer_->Train(*ledger_).ok());
  EXPECT_THAT(policy_->calls.back().means, ElementsAre(-3, 0));
  EXPECT_THAT(policy_->calls.back().response, ElementsAre(-6, -420));
}

// Binary stays binary: the reward of a call is that it did not fail.
TEST_F(TrainerTest, AnErrorIsSeenAsTheLackOfSuccess) {
  experiment::Metric error = Latency();
  error.source = experiment::MetricSource::kError;
  error.kind = policies::RewardKind::kBinary;
  Use(error);
  WorkerStatistics worker(plan_);
  for (const int code : {0, 0, 0, 14}) {
    worker.OnFinish(0, MakeDecision(*plan_, 0, 0, 0, 1, 0.5, {1, 2}),
                    {.code = code});
  }
  ledger_->AddBuiltin(0, worker.Take()->experiments[0].builtin_reward);
  ASSERT_TRUE(trainer_->Train(*ledger_).ok());
  EXPECT_THAT(policy_->calls.back().counts, ElementsAre(4, 0));
  EXPECT_EQ(policy_->calls.back().means[0], 0.75);
  EXPECT_THAT(policy_->calls.back().response, ElementsAre(3, 6));
}

}  // namespace
}  // namespace bandit::learning
