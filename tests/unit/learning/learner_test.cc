// SPDX-License-Identifier: Apache-2.0
// The learner's thread. Tests wait for what it does, never for time.
#include "router/learning/learner.h"

#include <atomic>
#include <future>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "router/store/memory_store.h"
#include "tests/unit/learning/fake_worker.h"
#include "tests/unit/learning/faulty_store.h"
#include "tests/unit/learning/log_capture.h"
#include "tests/unit/learning/test_plan.h"

namespace bandit::learning {
namespace {

using bandit::testing::ExperimentSpec;
using bandit::testing::FakeClock;
using bandit::testing::FakeWorker;
using bandit::testing::LogCapture;
using bandit::testing::MakeDecision;
using bandit::testing::MakePlan;
using bandit::testing::Rating;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Answer = absl::StatusOr<std::vector<Outcome>>;

class LearnerTest : public ::testing::Test {
 protected:
  ~LearnerTest() override {
    if (learner_ != nullptr) learner_->Stop();
  }

  void Create(std::shared_ptr<const experiment::Plan> plan) {
    plan_ = std::move(plan);
    auto created = Learner::Create(
        std::make_unique<bandit::testing::FaultyStore>(real_.get(), faults_),
        plan_, {{"ranker", {1, "same"}}}, options_, &clock_);
    ASSERT_TRUE(created.ok()) << created.status();
    learner_ = *std::move(created);
    worker_ = std::make_unique<FakeWorker>(learner_->snapshot());
  }
  void Start(std::shared_ptr<const experiment::Plan> plan) {
    Create(std::move(plan));
    learner_->Start({worker_.get()});
  }

  Reward MakeReward(uint64_t id, double value = 1) {
    return {.decision = MakeDecision(*plan_, 0, 0,
                                     absl::ToUnixMillis(clock_.Now()), id),
            .metric = "",
            .value = value};
  }

  std::future<Answer> Submit(std::vector<Reward> rewards) {
    auto promise = std::make_shared<std::promise<Answer>>();
    const absl::Status taken = learner_->Submit(
        std::move(rewards), [promise](const absl::StatusOr<Settled>& settled) {
          promise->set_value(settled.ok() ? Answer(settled->outcomes)
                                          : Answer(settled.status()));
        });
    if (!taken.ok()) promise->set_value(taken);
    return promise->get_future();
  }

  void Decide(int count, int64_t id = 1000) {
    worker_->Count([&](WorkerStatistics& statistics) {
      for (int i = 0; i < count; ++i) {
        statistics.OnDecision(
            0, MakeDecision(*plan_, 0, 0, absl::ToUnixMillis(clock_.Now()),
                            static_cast<uint64_t>(id + i)));
      }
    });
  }

  FakeClock clock_;
  std::unique_ptr<store::StateStore> real_ = store::MakeMemoryStore();
  std::shared_ptr<bandit::testing::Faults> faults_ =
      std::make_shared<bandit::testing::Faults>();
  Learner::Options options_{.tick = absl::Milliseconds(1),
                            .queue = 100,
                            .silence_warning = absl::Minutes(5)};
  std::shared_ptr<const experiment::Plan> plan_;
  std::unique_ptr<FakeWorker> worker_;
  std::unique_ptr<Learner> learner_;
};

TEST_F(LearnerTest, ARewardIsAnsweredAfterItsCommitAndReachesTheWorkers) {
  Start(MakePlan({{.metrics = {Rating()}}}));
  const auto first = worker_->snapshot();
  const Answer answer = Submit({MakeReward(1, 4), MakeReward(1, 4)}).get();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(*answer, ElementsAre(Outcome::kAccepted, Outcome::kDuplicate));
  EXPECT_FALSE(real_->Statistics({"ranker", 1})->empty());
  worker_->AwaitPublished(1);
  EXPECT_NE(worker_->snapshot(), first);
  const auto& arm = learner_->view()->experiments[0].arms[0];
  EXPECT_EQ(arm.reward_count, 1);
  EXPECT_EQ(arm.reward_mean, 4);
}

TEST_F(LearnerTest, DecisionsAreWrittenAndMatureWithTheClock) {
  Start(MakePlan({ExperimentSpec{}}));
  Decide(7);
  worker_->AwaitTick();
  EXPECT_EQ(learner_->view()->experiments[0].decisions, 7u);
  EXPECT_EQ(learner_->view()->experiments[0].arms[0].reward_count, 0);
  clock_.Advance(absl::Minutes(1));
  worker_->AwaitPublished(1);
  EXPECT_EQ(learner_->view()->experiments[0].arms[0].reward_count, 7);
}

TEST_F(LearnerTest, AnIdleLearnerWritesNothing) {
  Start(MakePlan({ExperimentSpec{}}));
  worker_->AwaitTick();
  const int commits = faults_->commits;
  worker_->AwaitTick();
  worker_->AwaitTick();
  EXPECT_EQ(faults_->commits, commits);
  EXPECT_EQ(worker_->published(), 0);
}

TEST_F(LearnerTest, ABrokenStoreRefusesRewardsSaysSoOnceAndHeals) {
  LogCapture log;
  std::atomic<int> watched = 0;
  Create(MakePlan({{.metrics = {Rating()}}}));
  learner_->WatchStore([&](bool works) { watched += works ? 100 : 1; });
  learner_->Start({worker_.get()});
  faults_->calls_left = 0;
  for (uint64_t id : {1, 2}) {
    const Answer refused = Submit({MakeReward(id)}).get();
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(refused.status().message()),
                HasSubstr("nothing of this batch was taken"));
  }
  EXPECT_THAT(learner_->degraded(), HasSubstr("the test broke the store"));
  EXPECT_EQ(watched, 1);
  // Decisions go on being counted, and are not lost.
  Decide(5);
  worker_->AwaitTick();
  EXPECT_EQ(learner_->view()->experiments[0].decisions, 5u);
  faults_->calls_left = -1;
  const Answer taken = Submit({MakeReward(1)}).get();
  ASSERT_TRUE(taken.ok());
  EXPECT_THAT(*taken, ElementsAre(Outcome::kAccepted));
  EXPECT_THAT(learner_->degraded(), IsEmpty());
  EXPECT_EQ(watched, 101);
  learner_->Stop();
  EXPECT_EQ(log.CountOf("degraded:"), 1);
  EXPECT_EQ(log.CountOf("healed:"), 1);
  learner_->telemetry().Read([](const Totals& totals) {
    EXPECT_GE(totals.failed_commits, 2u);
    EXPECT_EQ(totals.rewards.at({"ranker", "rating"})[1], 1u);
  });
}

// Heals by itself, without a reward to try with.
TEST_F(LearnerTest, ABrokenStoreIsTriedAgainEachTick) {
  Start(MakePlan({ExperimentSpec{}}));
  faults_->calls_left = 0;
  Decide(3);
  worker_->AwaitTick();
  EXPECT_THAT(learner_->degraded(), HasSubstr("not written"));
  faults_->calls_left = -1;
  worker_->AwaitTick();
  EXPECT_THAT(learner_->degraded(), IsEmpty());
  EXPECT_FALSE(real_->Statistics({"ranker", 1})->empty());
}

TEST_F(LearnerTest, AFullQueueRefusesWithoutWaiting) {
  Create(MakePlan({ExperimentSpec{}}));  // Its thread does not run.
  std::vector<Reward> many;
  for (uint64_t id = 0; id < 100; ++id) many.push_back(MakeReward(id));
  auto waiting = Submit(many);
  EXPECT_EQ(learner_->queue_length(), 100u);
  EXPECT_EQ(Submit({MakeReward(1000)}).get().status().code(),
            absl::StatusCode::kResourceExhausted);
  learner_->Start({worker_.get()});
  ASSERT_TRUE(waiting.get().ok());
  EXPECT_TRUE(Submit({MakeReward(1000)}).get().ok());
}

TEST_F(LearnerTest, StopAnswersWhatItTookAndWritesTheLastDecisions) {
  Start(MakePlan({{.metrics = {Rating()}}}));
  std::vector<std::future<Answer>> answers;
  for (uint64_t id = 0; id < 50; ++id) {
    answers.push_back(Submit({MakeReward(id)}));
  }
  Decide(9);
  learner_->Stop();
  for (auto& answer : answers) EXPECT_TRUE(answer.get().ok());
  EXPECT_EQ(Submit({MakeReward(99)}).get().status().code(),
            absl::StatusCode::kUnavailable);
  learner_.reset();
  Create(plan_);
  const auto view = learner_->view();
  EXPECT_EQ(view->experiments[0].decisions, 9u);
  EXPECT_EQ(view->experiments[0].arms[0].reward_count, 50);
  EXPECT_THAT(view->experiments[0].metrics[0].outcomes,
              ElementsAre(0, 50, 0, 0, 0, 0));
}

TEST_F(LearnerTest, StopWithoutStartAnswersToo) {
  Create(MakePlan({ExperimentSpec{}}));
  auto answer = Submit({MakeReward(1)});
  learner_->Stop();
  EXPECT_EQ(answer.get().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(LearnerTest, ASilentExperimentShowsInTheView) {
  LogCapture log;
  Start(MakePlan({ExperimentSpec{}}));
  Decide(3);
  worker_->AwaitTick();
  EXPECT_FALSE(learner_->view()->experiments[0].silent);
  clock_.Advance(absl::Minutes(6));
  worker_->AwaitTick();
  EXPECT_TRUE(learner_->view()->experiments[0].silent);
  // A reward of a decision that is old, but in a window of its own.
  ASSERT_TRUE(Submit({MakeReward(1)}).get().ok());
  worker_->AwaitTick();
  EXPECT_FALSE(learner_->view()->experiments[0].silent);
  learner_->Stop();
  EXPECT_EQ(log.CountOf("3 decisions in 6m"), 1);
}

TEST_F(LearnerTest, AWorkerThatDoesNotAnswerHoldsNothingUp) {
  Start(MakePlan({{.metrics = {Rating()}}}));
  FakeWorker* stuck = worker_.get();
  stuck->Hold();
  ASSERT_TRUE(Submit({MakeReward(1)}).get().ok());
  stuck->AwaitPublished(1);
  ASSERT_TRUE(Submit({MakeReward(2)}).get().ok());
  stuck->AwaitPublished(2);
  stuck->DropHeld();
}

TEST_F(LearnerTest, UnknownAndForgedRewardsHaveNoMadeUpLabels) {
  Start(MakePlan({ExperimentSpec{}}));
  Reward foreign = MakeReward(1);
  foreign.decision.experiment = 99;
  Reward undeclared = MakeReward(2);
  undeclared.metric = "x";
  ASSERT_TRUE(Submit({foreign, undeclared}).get().ok());
  learner_->CountForged(3);
  learner_->telemetry().Read([](const Totals& totals) {
    EXPECT_EQ(totals.rewards.at({"", ""})[Index(Outcome::kUnknown)], 1u);
    EXPECT_EQ(totals.rewards.at({"", ""})[Index(Outcome::kRejected)], 3u);
    EXPECT_EQ(totals.rewards.at({"ranker", ""})[Index(Outcome::kRejected)], 1u);
    EXPECT_EQ(totals.rewards.size(), 3u);
  });
}

TEST_F(LearnerTest, AdoptPublishesTheNewPlanAndKeepsWhatWasLearned) {
  Start(MakePlan({{.metrics = {Rating()}}}));
  ASSERT_TRUE(Submit({MakeReward(1, 5)}).get().ok());
  const auto next = MakePlan(
      {{.name = "first"}, {.metrics = {Rating()}, .policy_name = "ucb1"}});
  const absl::Status adopted =
      learner_->Adopt([&](const ExperimentRecords& known) {
        EXPECT_EQ(known.at("ranker").epoch, 1u);
        return Learner::Compiled{
            .plan = next, .records = known, .options = options_};
      });
  ASSERT_TRUE(adopted.ok()) << adopted;
  EXPECT_EQ(worker_->snapshot()->plan, next);
  EXPECT_EQ(learner_->snapshot()->plan, next);
  const auto view = learner_->view();
  EXPECT_EQ(view->experiments[1].policy, "ucb1");
  EXPECT_EQ(view->experiments[1].arms[0].reward_mean, 5);
  // A decision made under the old plan.
  EXPECT_THAT(*Submit({MakeReward(1), MakeReward(2)}).get(),
              ElementsAre(Outcome::kDuplicate, Outcome::kAccepted));
}

TEST_F(LearnerTest, AFailedAdoptChangesNothing) {
  Start(MakePlan({{.metrics = {Rating()}}}));
  const absl::Status failed = learner_->Adopt(
      [](const ExperimentRecords&) -> absl::StatusOr<Learner::Compiled> {
        return absl::InvalidArgumentError("no plan");
      });
  EXPECT_EQ(failed, absl::InvalidArgumentError("no plan"));
  EXPECT_EQ(learner_->snapshot()->plan, plan_);
  EXPECT_TRUE(Submit({MakeReward(1)}).get().ok());
}

TEST_F(LearnerTest, AdoptAfterStopIsRefused) {
  Start(MakePlan({ExperimentSpec{}}));
  learner_->Stop();
  EXPECT_EQ(
      learner_
          ->Adopt([&](const ExperimentRecords&) { return Learner::Compiled{}; })
          .code(),
      absl::StatusCode::kUnavailable);
}

TEST_F(LearnerTest, ALearnerThatEndsNoTickIsDegraded) {
  options_.tick = absl::Hours(1);
  Start(MakePlan({ExperimentSpec{}}));
  worker_->AwaitHarvests(1);
  EXPECT_THAT(learner_->degraded(), IsEmpty());
  clock_.Advance(absl::Hours(11));
  EXPECT_THAT(learner_->degraded(), HasSubstr("not ended a tick for 11h"));
}

TEST_F(LearnerTest, APolicyThatFailsIsSaidAndTheRestGoesOn) {
  LogCapture log;
  const auto policy = std::make_shared<bandit::testing::RecordingPolicy>();
  Create(MakePlan({{.metrics = {Rating()}, .policy = policy}}));
  policy->error = absl::InvalidArgumentError("cannot");
  learner_->Start({worker_.get()});
  ASSERT_TRUE(Submit({MakeReward(1)}).get().ok());
  worker_->AwaitTick();
  EXPECT_THAT(learner_->degraded(), HasSubstr("experiments.ranker"));
  learner_->Stop();
  EXPECT_EQ(log.CountOf("degraded:"), 1);
  EXPECT_EQ(learner_->view()->experiments[0].arms[0].reward_count, 1);
}

// Rewards that name their decision by its request's id.
class LearnerJoinTest : public LearnerTest {
 protected:
  LearnerJoinTest() { Create(Plan()); }

  static std::shared_ptr<const experiment::Plan> Plan() {
    return MakePlan({{.metrics = {Rating()}}},
                    bandit::testing::JoinByRequestId());
  }
  static Reward ByRequest(const std::string& id, double value = 1) {
    return {.value = value, .request_id = id};
  }
  // A worker decides on a request; see MakeReward for the token of `decision`.
  void Serve(const std::string& id, uint64_t decision) {
    worker_->Count([&](WorkerStatistics& statistics) {
      const auto made = MakeReward(decision).decision;
      statistics.OnDecision(0, made);
      statistics.OnRequest(id, made);
    });
  }
  absl::Status Adopt(std::shared_ptr<const experiment::Plan> plan) {
    return learner_->Adopt([&](const ExperimentRecords& known) {
      return Learner::Compiled{
          .plan = plan, .records = known, .options = options_};
    });
  }
  JoinTotals Totals() {
    worker_->AwaitTick();
    JoinTotals join;
    learner_->telemetry().Read(
        [&](const learning::Totals& totals) { join = totals.join; });
    return join;
  }
  static bool IsReady(const std::future<Answer>& answer) {
    return answer.wait_for(std::chrono::seconds(0)) ==
           std::future_status::ready;
  }
};

TEST_F(LearnerJoinTest, ARewardFindsItsDecisionByTheRequestsId) {
  learner_->Start({worker_.get()});
  EXPECT_TRUE(learner_->JoinsRequests());
  Serve("a", 1);
  worker_->AwaitTick();
  EXPECT_EQ(Totals().entries, 1u);
  EXPECT_GT(Totals().bytes, 0u);
  EXPECT_THAT(*Submit({ByRequest("a", 4)}).get(),
              ElementsAre(Outcome::kAccepted));
  worker_->AwaitPublished(1);
  EXPECT_EQ(learner_->view()->experiments[0].arms[0].reward_mean, 4);
}

// The caller has its answer before the learner hears of the decision, and is
// quick with the reward. Nobody else waits for that.
TEST_F(LearnerJoinTest, ARewardThatIsQuickerThanTheHarvestWaitsForIt) {
  worker_->Hold();
  learner_->Start({worker_.get()});
  worker_->AwaitHarvests(1);
  Serve("a", 1);
  auto quick = Submit({MakeReward(7), ByRequest("a")});
  EXPECT_THAT(*Submit({MakeReward(2)}).get(), ElementsAre(Outcome::kAccepted));
  EXPECT_FALSE(IsReady(quick));
  worker_->AnswerHeld();
  EXPECT_THAT(*quick.get(),
              ElementsAre(Outcome::kAccepted, Outcome::kAccepted));
  EXPECT_EQ(Totals().unresolved, 0u);
}

// What a worker hands over to a question from before the reward came may lack
// the decision: the next one must be asked.
TEST_F(LearnerJoinTest, AHarvestFromBeforeTheRewardCameIsNotEnough) {
  options_.tick = absl::Hours(1);
  Create(Plan());
  worker_->Hold();
  learner_->Start({worker_.get()});
  worker_->AwaitHarvests(1);
  auto waiting = Submit({ByRequest("a")});
  ASSERT_TRUE(Submit({MakeReward(2)}).get().ok());
  worker_->AnswerHeld();
  worker_->AwaitPublished(1);  // The tick has ended.
  EXPECT_FALSE(IsReady(waiting));
  Serve("a", 1);
  learner_->Stop();  // Which asks again.
  EXPECT_THAT(*waiting.get(), ElementsAre(Outcome::kAccepted));
}

TEST_F(LearnerJoinTest, AnUnknownIdIsGivenUpAfterAHarvestThatBeganLater) {
  worker_->Hold();
  learner_->Start({worker_.get()});
  worker_->AwaitHarvests(1);
  auto unknown = Submit({ByRequest("made up"), MakeReward(1)});
  EXPECT_THAT(*Submit({MakeReward(2)}).get(), ElementsAre(Outcome::kAccepted));
  EXPECT_FALSE(IsReady(unknown));
  worker_->AnswerHeld();
  EXPECT_THAT(*unknown.get(),
              ElementsAre(Outcome::kUnknown, Outcome::kAccepted));
  EXPECT_EQ(Totals().unresolved, 1u);
  learner_->telemetry().Read([](const learning::Totals& totals) {
    EXPECT_EQ(totals.rewards.at({"", ""})[Index(Outcome::kUnknown)], 1u);
  });
}

TEST_F(LearnerJoinTest, ADecisionIsRewardedOnceByTokenOrById) {
  learner_->Start({worker_.get()});
  Serve("a", 1);
  Serve("b", 2);
  EXPECT_THAT(
      *Submit({ByRequest("a"), MakeReward(1), MakeReward(2), ByRequest("b")})
           .get(),
      ElementsAre(Outcome::kAccepted, Outcome::kDuplicate, Outcome::kAccepted,
                  Outcome::kDuplicate));
  EXPECT_THAT(*Submit({ByRequest("a"), MakeReward(2)}).get(),
              ElementsAre(Outcome::kDuplicate, Outcome::kDuplicate));
}

TEST_F(LearnerJoinTest, TheRetryOfARequestHasItsIdFromThenOn) {
  learner_->Start({worker_.get()});
  Serve("a", 1);
  EXPECT_THAT(*Submit({ByRequest("a", 2)}).get(),
              ElementsAre(Outcome::kAccepted));
  Serve("a", 2);
  worker_->AwaitTick();
  EXPECT_THAT(*Submit({ByRequest("a", 4), MakeReward(1)}).get(),
              ElementsAre(Outcome::kAccepted, Outcome::kDuplicate));
  worker_->AwaitTick();
  EXPECT_EQ(learner_->view()->experiments[0].arms[0].reward_mean, 3);
}

TEST_F(LearnerJoinTest, AnIdIsUnknownOnceItsWindowHasPassed) {
  learner_->Start({worker_.get()});
  Serve("a", 1);
  worker_->AwaitTick();
  clock_.Advance(absl::Minutes(29));
  EXPECT_THAT(*Submit({ByRequest("a")}).get(), ElementsAre(Outcome::kLate));
  clock_.Advance(absl::Minutes(2));
  EXPECT_THAT(*Submit({ByRequest("a")}).get(), ElementsAre(Outcome::kUnknown));
  EXPECT_EQ(Totals().entries, 0u);
}

TEST_F(LearnerJoinTest, WhatWaitsForADecisionCountsAgainstTheQueue) {
  worker_->Hold();
  learner_->Start({worker_.get()});
  worker_->AwaitHarvests(1);
  std::vector<Reward> many;
  for (int i = 0; i < 99; ++i) many.push_back(ByRequest("made up"));
  auto waiting = Submit(many);
  ASSERT_TRUE(Submit({MakeReward(1)}).get().ok());
  EXPECT_EQ(learner_->queue_length(), 99u);
  EXPECT_EQ(Submit({MakeReward(2), MakeReward(3)}).get().status().code(),
            absl::StatusCode::kResourceExhausted);
  worker_->AnswerHeld();
  EXPECT_TRUE(waiting.get().ok());
  EXPECT_EQ(learner_->queue_length(), 0u);
}

TEST_F(LearnerJoinTest, StopHarvestsForThoseThatWait) {
  options_.tick = absl::Hours(1);
  Create(Plan());
  learner_->Start({worker_.get()});
  worker_->AwaitHarvests(1);
  Serve("a", 1);
  auto waiting = Submit({ByRequest("a"), ByRequest("made up")});
  ASSERT_TRUE(Submit({MakeReward(2)}).get().ok());
  EXPECT_FALSE(IsReady(waiting));
  learner_->Stop();
  EXPECT_THAT(*waiting.get(),
              ElementsAre(Outcome::kAccepted, Outcome::kUnknown));
}

TEST_F(LearnerJoinTest, ABrokenStoreRefusesTheWholeBatchThatWaited) {
  worker_->Hold();
  learner_->Start({worker_.get()});
  worker_->AwaitHarvests(1);
  Serve("a", 1);
  auto waiting = Submit({MakeReward(7), ByRequest("a")});
  faults_->calls_left = 0;
  worker_->AnswerHeld();
  EXPECT_EQ(waiting.get().status().code(), absl::StatusCode::kUnavailable);
  faults_->calls_left = -1;
  EXPECT_THAT(*Submit({MakeReward(7), ByRequest("a")}).get(),
              ElementsAre(Outcome::kAccepted, Outcome::kAccepted));
}

TEST_F(LearnerJoinTest, AReloadMayTurnItOffAndOn) {
  worker_->Hold();
  learner_->Start({worker_.get()});
  worker_->AwaitHarvests(1);
  auto waiting = Submit({ByRequest("made up")});
  ASSERT_TRUE(Submit({MakeReward(2)}).get().ok());
  ASSERT_TRUE(Adopt(MakePlan({{.metrics = {Rating()}}})).ok());
  EXPECT_FALSE(learner_->JoinsRequests());
  // Without a harvest, since there is nothing to find.
  EXPECT_THAT(*waiting.get(), ElementsAre(Outcome::kUnknown));
  worker_->AnswerHeld();
  ASSERT_TRUE(Adopt(Plan()).ok());
  EXPECT_TRUE(learner_->JoinsRequests());
  worker_->AwaitTick();
  Serve("b", 3);
  EXPECT_THAT(*Submit({ByRequest("b")}).get(), ElementsAre(Outcome::kAccepted));
  EXPECT_EQ(Totals().unresolved, 1u);
}

TEST_F(LearnerJoinTest, ADecisionOfAnExperimentThatHasGoneIsUnknown) {
  learner_->Start({worker_.get()});
  Serve("a", 1);
  worker_->AwaitTick();
  ASSERT_TRUE(Adopt(MakePlan({{.name = "other", .metrics = {Rating()}}},
                             bandit::testing::JoinByRequestId()))
                  .ok());
  EXPECT_THAT(*Submit({ByRequest("a")}).get(), ElementsAre(Outcome::kUnknown));
  EXPECT_EQ(Totals().unresolved, 0u);
}

}  // namespace
}  // namespace bandit::learning
