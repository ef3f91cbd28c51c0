// SPDX-License-Identifier: Apache-2.0
#include "router/learning/bookkeeper.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "router/store/memory_store.h"
#include "tests/unit/learning/faulty_store.h"
#include "tests/unit/learning/log_capture.h"
#include "tests/unit/learning/test_plan.h"

namespace bandit::learning {
namespace {

using bandit::testing::Click;
using bandit::testing::ExperimentSpec;
using bandit::testing::Latency;
using bandit::testing::MakeDecision;
using bandit::testing::MakePlan;
using bandit::testing::Rating;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class BookkeeperTest : public ::testing::Test {
 protected:
  void Open(std::shared_ptr<const experiment::Plan> plan,
            const ExperimentRecords& records) {
    plan_ = std::move(plan);
    auto opened = Bookkeeper::Open(&store_, plan_, records, kNow);
    ASSERT_TRUE(opened.ok()) << opened.status();
    keeper_ = *std::move(opened);
  }

  Reward MakeReward(uint64_t id, double value = 1, size_t e = 0) {
    return {
        .decision = MakeDecision(*plan_, e, 0, absl::ToUnixMillis(kNow), id),
        .metric = "",
        .value = value};
  }

  std::vector<Outcome> Settle(const std::vector<Reward>& rewards,
                              absl::Time now = kNow) {
    const auto verdicts = keeper_->Settle(rewards, now, now);
    EXPECT_TRUE(verdicts.ok()) << verdicts.status();
    std::vector<Outcome> outcomes;
    for (const Verdict& verdict : *verdicts) {
      outcomes.push_back(verdict.outcome);
    }
    return outcomes;
  }

  double Count(size_t metric = 0) {
    return keeper_->ledger().Total(0, metric, 0)[0];
  }

  std::unique_ptr<store::StateStore> real_ = store::MakeMemoryStore();
  std::shared_ptr<bandit::testing::Faults> faults_ =
      std::make_shared<bandit::testing::Faults>();
  bandit::testing::FaultyStore store_{real_.get(), faults_};
  std::shared_ptr<const experiment::Plan> plan_;
  std::unique_ptr<Bookkeeper> keeper_;
};

TEST_F(BookkeeperTest, OneBadRewardDoesNotSpoilItsBatch) {
  Open(MakePlan({{.metrics = {Rating()}}}), {{"ranker", {1, "f"}}});
  Reward foreign = MakeReward(3);
  foreign.decision.experiment = 7;
  Reward old = MakeReward(4);
  old.decision.time_ms -= 100'000;
  EXPECT_THAT(
      Settle({MakeReward(1), foreign, MakeReward(2, 99), old, MakeReward(1),
              MakeReward(5)}),
      ElementsAre(Outcome::kAccepted, Outcome::kUnknown, Outcome::kRejected,
                  Outcome::kLate, Outcome::kDuplicate, Outcome::kAccepted));
  EXPECT_EQ(Count(), 2);
}

TEST_F(BookkeeperTest, WithNothingToWriteThereIsNoTransaction) {
  Open(MakePlan({ExperimentSpec{}}), {});
  Settle({});  // Looks once for ids to forget.
  const int commits = faults_->commits;
  Settle({});
  EXPECT_EQ(faults_->commits, commits);
}

// On a full disk it would look like a store that works again.
TEST_F(BookkeeperTest, ForgettingAloneIsNotWritingDown) {
  Open(MakePlan({{.metrics = {Rating()}}}), {});
  const int commits = faults_->commits;
  Settle({});
  EXPECT_GT(faults_->commits, commits);
  EXPECT_EQ(keeper_->transactions(), 0u);
  Settle({MakeReward(1)});
  EXPECT_EQ(keeper_->transactions(), 1u);
}

TEST_F(BookkeeperTest, AFailureCountsNothingAndTheSameRewardIsNewLater) {
  Open(MakePlan({{.metrics = {Rating()}}}), {{"ranker", {1, "f"}}});
  int failures = 0;
  for (int calls = 0;; ++calls) {
    faults_->calls_left = calls;
    if (keeper_->Settle({MakeReward(1)}, kNow, kNow).ok()) break;
    EXPECT_EQ(Count(), 0);
    ++failures;
  }
  // Begin, insert, put, purge, commit.
  EXPECT_GE(failures, 4);
  EXPECT_EQ(Count(), 1);
  faults_->calls_left = -1;
  EXPECT_THAT(Settle({MakeReward(1)}), ElementsAre(Outcome::kDuplicate));
}

TEST_F(BookkeeperTest, TimeThatRunsBackwardsStandsStill) {
  Open(MakePlan({{.metrics = {Rating(absl::Seconds(20))}}}), {});
  Settle({}, kNow + absl::Minutes(1));
  EXPECT_THAT(Settle({MakeReward(1)}, kNow), ElementsAre(Outcome::kLate));
}

TEST_F(BookkeeperTest, IdsAreForgottenWhenTheirWindowHasPassed) {
  Open(MakePlan({{.metrics = {Rating(absl::Seconds(20))}}}), {});
  Settle({MakeReward(1)});
  Settle({}, kNow + absl::Seconds(60));
  auto transaction = real_->Begin();
  const auto fresh = (*transaction)
                         ->InsertRewards({"ranker", 1}, "rating",
                                         {{absl::ToUnixMillis(kNow), 1}});
  EXPECT_THAT(*fresh, ElementsAre(true));
}

TEST_F(BookkeeperTest, RecordsAreWrittenAndANewEpochIsSaid) {
  bandit::testing::LogCapture log;
  Open(MakePlan({ExperimentSpec{}}), {{"ranker", {1, "arms: a\n"}}});
  Open(MakePlan({{.epoch = 2}}), {{"ranker", {2, "arms: b\n"}}});
  EXPECT_EQ((*real_->Experiments())["ranker"].epoch, 2u);
  EXPECT_THAT(log.text(), HasSubstr("experiment ranker: new, epoch 1"));
  EXPECT_THAT(log.text(),
              HasSubstr("experiment ranker: epoch 2 begins, because arms "
                        "changed; what epoch 1 learned no longer counts"));
}

TEST_F(BookkeeperTest, ANewEpochStartsEmptyAndTheOldOnesIdsAreForgotten) {
  Open(MakePlan({{.metrics = {Rating()}}}), {{"ranker", {1, "a"}}});
  const Reward before = MakeReward(1);
  Settle({before});
  Open(MakePlan({{.epoch = 2, .metrics = {Rating()}}}), {{"ranker", {2, "b"}}});
  EXPECT_EQ(Count(), 0);
  EXPECT_THAT(Settle({before}), ElementsAre(Outcome::kUnknown));
  auto transaction = real_->Begin();
  EXPECT_THAT(*(*transaction)
                   ->InsertRewards({"ranker", 1}, "rating",
                                   {{before.decision.time_ms, 1}}),
              ElementsAre(true));
}

// Removed from the config and put back: nothing is lost meanwhile.
TEST_F(BookkeeperTest, AnExperimentThatComesBackGoesOn) {
  Open(MakePlan({{.metrics = {Rating()}}}), {{"ranker", {1, "a"}}});
  Settle({MakeReward(1)});
  ASSERT_TRUE(keeper_->Adopt(MakePlan({{.name = "other"}}), {}, kNow).ok());
  EXPECT_EQ(Count(), 0);
  ASSERT_TRUE(keeper_->Adopt(plan_, {{"ranker", {1, "a"}}}, kNow).ok());
  EXPECT_EQ(Count(), 1);
  EXPECT_EQ(keeper_->records().at("ranker").epoch, 1u);
}

TEST_F(BookkeeperTest, AdoptKeepsWhatTheStoreDoesNotHaveYet) {
  Open(MakePlan({{.metrics = {Click(absl::Seconds(1))}}}), {});
  faults_->calls_left = 0;
  WorkerStatistics worker(plan_);
  worker.OnDecision(0, MakeDecision(*plan_, 0, 0, absl::ToUnixMillis(kNow), 1));
  keeper_->Count(*worker.Take());
  EXPECT_FALSE(keeper_->Settle({}, kNow, kNow).ok());
  const auto swapped =
      MakePlan({{.name = "first"},
                {.metrics = {Click(absl::Seconds(1))}, .policy_name = "ucb1"}});
  faults_->calls_left = 1;  // The new experiment's rows are read.
  ASSERT_TRUE(keeper_->Adopt(swapped, {}, kNow).ok());
  EXPECT_EQ(keeper_->ledger().Decisions(1, 0), 1u);
  faults_->calls_left = -1;
  Settle({}, kNow + absl::Minutes(1));
  EXPECT_EQ(keeper_->ledger().Total(1, 0, 0)[0], 1);
  Open(plan_, {});
  EXPECT_EQ(Count(), 1);
}

TEST_F(BookkeeperTest, AFailedAdoptChangesNothing) {
  Open(MakePlan({{.metrics = {Rating()}}}), {{"ranker", {1, "a"}}});
  Settle({MakeReward(1)});
  const auto next = MakePlan({{.epoch = 2, .metrics = {Rating()}}});
  for (int calls = 0; calls < 4; ++calls) {
    faults_->calls_left = calls;
    EXPECT_FALSE(keeper_->Adopt(next, {{"ranker", {2, "b"}}}, kNow).ok());
    EXPECT_EQ(&keeper_->ledger().plan(), plan_.get());
    EXPECT_EQ(keeper_->records().at("ranker").epoch, 1u);
    EXPECT_EQ(Count(), 1);
  }
}

// A worker that has not got the new snapshot yet.
TEST_F(BookkeeperTest, ADeltaOfAnEarlierPlanCountsByNameAndEpoch) {
  const auto old =
      MakePlan({{.name = "gone"},
                {.metrics = {Click(), Latency()}, .reward_metric = 1}});
  WorkerStatistics worker(old);
  const int64_t now_ms = absl::ToUnixMillis(kNow);
  for (size_t e = 0; e < 2; ++e) {
    const auto decision = MakeDecision(*old, e, 0, now_ms, 1);
    worker.OnDecision(e, decision);
    worker.OnFinish(e, decision, {.latency_ns = 1'000'000});
  }
  const auto delta = worker.Take();
  Open(MakePlan({{.metrics = {Click(), Latency()}, .reward_metric = 1}}), {});
  keeper_->Count(*delta);
  EXPECT_EQ(keeper_->ledger().Decisions(0, 0), 1u);
  EXPECT_EQ(Count(1), 1);
  Open(MakePlan(
           {{.epoch = 2, .metrics = {Click(), Latency()}, .reward_metric = 1}}),
       {});
  keeper_->Count(*delta);
  EXPECT_EQ(keeper_->ledger().Decisions(0, 0), 0u);
}

TEST_F(BookkeeperTest, StoredRowsThatDoNotFitAreNamed) {
  auto transaction = real_->Begin();
  ASSERT_TRUE(
      (*transaction)
          ->PutStatistics({"ranker", 1}, {"click", store::kTotal}, "not a row")
          .ok());
  ASSERT_TRUE((*transaction)->Commit().ok());
  const auto opened =
      Bookkeeper::Open(real_.get(), MakePlan({ExperimentSpec{}}), {}, kNow);
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(opened.status().message()),
              ::testing::AllOf(HasSubstr("experiments.ranker"),
                               HasSubstr("click"), HasSubstr("damaged")));
}

}  // namespace
}  // namespace bandit::learning
