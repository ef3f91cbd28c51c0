// SPDX-License-Identifier: Apache-2.0
// Guardrails on the learner's thread: what workers count moves the snapshot,
// the store and those who watch.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "router/learning/learner.h"
#include "router/store/memory_store.h"
#include "tests/unit/learning/fake_worker.h"
#include "tests/unit/learning/faulty_store.h"
#include "tests/unit/learning/log_capture.h"
#include "tests/unit/learning/test_plan.h"

namespace bandit::learning {
namespace {

using bandit::testing::ErrorRule;
using bandit::testing::FakeClock;
using bandit::testing::FakeWorker;
using bandit::testing::LogCapture;
using bandit::testing::MakeDecision;
using guardrails::Event;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

experiment::Guardrail LatencyBesideControl() {
  return {.rule = {.name = "latency_ms p50 below control times 2",
                   .metric = "latency_ms",
                   .measure = guardrails::Measure::kQuantile,
                   .against = guardrails::Against::kControlTimes,
                   .bound = 2,
                   .quantile = 0.5},
          .source = experiment::MetricSource::kLatencyMs,
          .metric = 0};
}

experiment::Guardrail ClicksAbove(double rate) {
  return {.rule = {.name = "click above",
                   .metric = "click",
                   .above = true,
                   .bound = rate},
          .source = experiment::MetricSource::kFeedback,
          .metric = 0};
}

class GuardLearnerTest : public ::testing::Test {
 protected:
  ~GuardLearnerTest() override {
    if (learner_ != nullptr) learner_->Stop();
  }

  std::shared_ptr<const experiment::Plan> PlanWith(
      std::vector<experiment::Guardrail> rules) {
    auto plan = std::make_shared<experiment::Plan>();
    plan->backends.push_back({.name = "backend", .config = {}});
    experiment::Experiment e = bandit::testing::MakeExperiment({});
    e.guardrails = std::move(rules);
    e.probation = {.base_ejection = absl::Minutes(1),
                   .max_ejection = absl::Minutes(10),
                   .share = 0.1,
                   .duration = absl::Seconds(10),
                   .requests = 20};
    plan->experiments.push_back(std::move(e));
    return plan;
  }

  void Start(std::shared_ptr<const experiment::Plan> plan) {
    if (learner_ != nullptr) learner_->Stop();
    plan_ = std::move(plan);
    auto created = Learner::Create(
        std::make_unique<bandit::testing::FaultyStore>(real_.get(), faults_),
        plan_, {{"ranker", {1, "same"}}}, {.tick = absl::Milliseconds(1)},
        &clock_);
    ASSERT_TRUE(created.ok()) << created.status();
    learner_ = *std::move(created);
    learner_->WatchGuardrails([this](const guardrails::Transition& one) {
      absl::MutexLock lock(&mutex_);
      events_.push_back(one.event);
    });
    worker_ = std::make_unique<FakeWorker>(learner_->snapshot());
    learner_->Start({worker_.get()});
  }

  // `times` calls on the arm, and the tick that counts them.
  void Call(uint32_t arm, int times, int code,
            absl::Duration took = absl::Milliseconds(10)) {
    worker_->Count([&](WorkerStatistics& statistics) {
      for (int i = 0; i < times; ++i) {
        const auto decision = MakeDecision(
            *plan_, 0, arm, absl::ToUnixMillis(clock_.Now()), ++id_);
        statistics.OnDecision(0, decision);
        statistics.OnStart(0, arm);
        statistics.OnFinish(
            0, decision,
            {.code = code, .latency_ns = absl::ToInt64Nanoseconds(took)});
      }
    });
    Tick();
  }
  void Tick() {
    worker_->AwaitTick();
    worker_->AwaitTick();
  }

  std::vector<Event> Events() {
    absl::MutexLock lock(&mutex_);
    return events_;
  }

  FakeClock clock_;
  std::unique_ptr<store::StateStore> real_ = store::MakeMemoryStore();
  std::shared_ptr<bandit::testing::Faults> faults_ =
      std::make_shared<bandit::testing::Faults>();
  std::shared_ptr<const experiment::Plan> plan_;
  absl::Mutex mutex_;
  std::vector<Event> events_;
  uint64_t id_ = 0;
  std::unique_ptr<FakeWorker> worker_;
  std::unique_ptr<Learner> learner_;
};

TEST_F(GuardLearnerTest, AnEjectedArmLeavesTheSnapshotAndComesBack) {
  LogCapture log;
  Start(PlanWith({ErrorRule(guardrails::Action::kEject)}));
  Call(0, 50, 0);
  Call(1, 50, 0);
  EXPECT_EQ(learner_->snapshot()->eligible[0], 0b11);
  Call(1, 50, 13);
  EXPECT_EQ(learner_->snapshot()->eligible[0], 0b01);
  EXPECT_THAT(Events(), ElementsAre(Event::kEjected));
  EXPECT_THAT(log.text(), HasSubstr("guardrail: experiment ranker, arm "
                                    "candidate: ejected by error below 0.02: "
                                    "0.5 over 100"));
  auto view = learner_->view()->experiments[0];
  EXPECT_EQ(view.arms[1].guard.state, guardrails::ArmState::kEjected);
  EXPECT_EQ(view.arms[1].probability, 0);
  EXPECT_EQ(view.arms[0].probability, 1);
  EXPECT_TRUE(view.held);

  clock_.Advance(absl::Minutes(1));
  Tick();
  EXPECT_EQ(learner_->snapshot()->eligible[0], 0b11);
  EXPECT_THAT(learner_->snapshot()->caps[0], ElementsAre(1, 0.1));
  // What is shown is what is drawn with.
  EXPECT_DOUBLE_EQ(learner_->view()->experiments[0].arms[1].probability, 0.1);
  clock_.Advance(absl::Seconds(10));
  Call(1, 20, 0);
  EXPECT_THAT(learner_->snapshot()->caps[0], IsEmpty());
  EXPECT_THAT(Events(),
              ElementsAre(Event::kEjected, Event::kProbation, Event::kActive));
}

TEST_F(GuardLearnerTest, ARestartKeepsWhatWasFound) {
  Start(PlanWith({ErrorRule(guardrails::Action::kRollBack)}));
  Call(1, 100, 13);
  EXPECT_EQ(learner_->snapshot()->eligible[0], 0b01);
  Start(PlanWith({ErrorRule(guardrails::Action::kRollBack)}));
  // Before the first tick.
  EXPECT_EQ(learner_->snapshot()->eligible[0], 0b01);
  EXPECT_THAT(learner_->view()->experiments[0].rolled_back,
              HasSubstr("arm candidate, error below 0.02"));
  ASSERT_TRUE(learner_->Reinstate("ranker", "ann").ok());
  EXPECT_EQ(learner_->snapshot()->eligible[0], 0b11);
  EXPECT_EQ(learner_->Reinstate("other", "ann").code(),
            absl::StatusCode::kNotFound);
  Start(PlanWith({ErrorRule(guardrails::Action::kRollBack)}));
  EXPECT_EQ(learner_->snapshot()->eligible[0], 0b11);
}

TEST_F(GuardLearnerTest, LatenciesAreHeldAgainstTheControlArms) {
  Start(PlanWith({LatencyBesideControl()}));
  Call(0, 200, 0, absl::Milliseconds(10));
  clock_.Advance(absl::Seconds(2));
  Call(1, 200, 0, absl::Milliseconds(15));
  EXPECT_EQ(learner_->snapshot()->eligible[0], 0b11);
  clock_.Advance(absl::Seconds(2));
  Call(0, 600, 0, absl::Milliseconds(10));
  Call(1, 600, 0, absl::Milliseconds(30));
  EXPECT_EQ(learner_->snapshot()->eligible[0], 0b01);
}

// A metric that is fed back counts when the ledger counts it: these decisions
// get no click in their window of 10 s.
TEST_F(GuardLearnerTest, RewardsAreWatchedOnceTheyAreMature) {
  Start(PlanWith({ClicksAbove(0.2)}));
  Call(0, 10, 0);
  Call(1, 200, 0);
  EXPECT_EQ(learner_->snapshot()->eligible[0], 0b11);
  clock_.Advance(absl::Seconds(15));
  Tick();
  Tick();
  EXPECT_EQ(learner_->snapshot()->eligible[0], 0b01);
}

// With the store down arms are ejected all the same, and it is written later.
TEST_F(GuardLearnerTest, AFailingStoreDoesNotKeepABadArmIn) {
  LogCapture log;
  Start(PlanWith({ErrorRule(guardrails::Action::kEject)}));
  Tick();
  faults_->calls_left = 0;
  Call(1, 100, 13);
  EXPECT_EQ(learner_->snapshot()->eligible[0], 0b01);
  EXPECT_THAT(log.text(), HasSubstr("the state of guardrails is not written"));
  faults_->calls_left = -1;
  clock_.Advance(GuardHouse::kSavePause);
  Tick();
  EXPECT_THAT(log.text(),
              HasSubstr("the state of guardrails is written again"));
  Start(PlanWith({ErrorRule(guardrails::Action::kEject)}));
  EXPECT_EQ(learner_->snapshot()->eligible[0], 0b01);
}

TEST_F(GuardLearnerTest, AReloadKeepsTheStateAndTakesNewRules) {
  Start(PlanWith({ErrorRule(guardrails::Action::kEject)}));
  Call(1, 100, 13);
  const auto next =
      PlanWith({ErrorRule(guardrails::Action::kEject), LatencyBesideControl()});
  const absl::Status status =
      learner_->Adopt([&](const ExperimentRecords& known) {
        return Learner::Compiled{.plan = next,
                                 .records = known,
                                 .options = {.tick = absl::Milliseconds(1)}};
      });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(learner_->snapshot()->plan, next);
  EXPECT_EQ(learner_->snapshot()->eligible[0], 0b01);
  // One for the candidate and the control arm, one for the candidate alone.
  EXPECT_EQ(learner_->view()->experiments[0].guardrails.size(), 3);
}

TEST_F(GuardLearnerTest, AStateThatIsDamagedStopsTheStart) {
  auto transaction = *real_->Begin();
  ASSERT_TRUE(transaction->PutNote("ranker", "guardrails", "\xff\xff").ok());
  ASSERT_TRUE(transaction->Commit().ok());
  const auto created = Learner::Create(
      std::make_unique<bandit::testing::FaultyStore>(real_.get(), faults_),
      PlanWith({ErrorRule(guardrails::Action::kEject)}),
      {{"ranker", {1, "same"}}}, {}, &clock_);
  EXPECT_EQ(created.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(created.status().message()),
              HasSubstr("experiments.ranker"));
}

}  // namespace
}  // namespace bandit::learning
