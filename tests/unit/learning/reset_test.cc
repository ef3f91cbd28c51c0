// SPDX-License-Identifier: Apache-2.0
// A person begins a new epoch.
#include <future>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "router/learning/learner.h"
#include "router/store/memory_store.h"
#include "tests/unit/learning/fake_worker.h"
#include "tests/unit/learning/faulty_store.h"
#include "tests/unit/learning/test_plan.h"

namespace bandit::learning {
namespace {

using bandit::testing::FakeClock;
using bandit::testing::FakeWorker;
using bandit::testing::MakeDecision;
using bandit::testing::Rating;
using experiment::Act;
using experiment::State;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Answer = absl::StatusOr<std::vector<Outcome>>;

// "ranker" is reset; "other" must not feel it.
class ResetTest : public ::testing::Test {
 protected:
  ResetTest() {
    plan_.backends.push_back({.name = "backend", .config = {}});
    plan_.experiments.push_back(
        bandit::testing::MakeExperiment({.metrics = {Rating()}}));
    plan_.experiments.push_back(bandit::testing::MakeExperiment(
        {.name = "other", .metrics = {Rating()}}));
  }
  ~ResetTest() override {
    if (learner_ != nullptr) learner_->Stop();
  }

  void Start() {
    auto store =
        std::make_unique<bandit::testing::FaultyStore>(real_.get(), faults_);
    auto known = *store->Experiments();
    ExperimentRecords records = known;
    for (experiment::Experiment& e : plan_.experiments) {
      if (known.count(e.name) == 0) records[e.name] = {1, "same"};
      e.epoch = records[e.name].epoch;
    }
    auto created = Learner::Create(
        std::move(store), std::make_shared<const experiment::Plan>(plan_),
        records,
        {.tick = absl::Milliseconds(1),
         .queue = 100,
         .silence_warning = absl::Minutes(5)},
        &clock_);
    ASSERT_TRUE(created.ok()) << created.status();
    learner_ = *std::move(created);
    worker_ = std::make_unique<FakeWorker>(learner_->snapshot());
    learner_->Start({worker_.get()});
  }

  absl::Status Do(Act act, const std::string& who = "ann",
                  bool approve = false) {
    std::promise<void> done;
    absl::Status result;
    learner_->Ask(
        [&](Learner::Desk* desk) {
          result = desk->act({.experiment = "ranker",
                              .act = act,
                              .arm = {},
                              .who = who,
                              .proven = true,
                              .why = "a bug"},
                             approve)
                       .status();
        },
        [&done] { done.set_value(); });
    done.get_future().wait();
    return result;
  }

  // A reward for a decision of the epoch that the plan has now.
  Outcome Give(size_t e, uint64_t id) {
    return GiveFor(MakeDecision(*learner_->snapshot()->plan, e, 0,
                                absl::ToUnixMillis(clock_.Now()), id));
  }
  Outcome GiveFor(const experiment::Decision& decision) {
    auto promise = std::make_shared<std::promise<Answer>>();
    const absl::Status taken = learner_->Submit(
        {{.decision = decision, .metric = "", .value = 4}},
        [promise](const absl::StatusOr<Settled>& settled) {
          promise->set_value(settled.ok() ? Answer(settled->outcomes)
                                          : Answer(settled.status()));
        });
    EXPECT_TRUE(taken.ok()) << taken;
    return promise->get_future().get()->at(0);
  }

  const ExperimentView& View(size_t e) {
    view_ = learner_->view();
    return view_->experiments[e];
  }
  std::vector<std::string> Log() {
    learner_->Stop();
    std::vector<std::string> lines;
    const auto entries = *real_->Audit(0, 1000);
    EXPECT_TRUE(store::VerifyAudit({}, entries).ok());
    for (const auto& entry : entries) {
      lines.push_back(entry.who + " " + entry.act + ": " + entry.detail +
                      (entry.why.empty() ? "" : ", because " + entry.why));
    }
    return lines;
  }

  FakeClock clock_;
  std::unique_ptr<store::StateStore> real_ = store::MakeMemoryStore();
  std::shared_ptr<bandit::testing::Faults> faults_ =
      std::make_shared<bandit::testing::Faults>();
  experiment::Plan plan_;
  std::shared_ptr<const learning::View> view_;
  std::unique_ptr<Learner> learner_;
  std::unique_ptr<FakeWorker> worker_;
};

TEST_F(ResetTest, ForgetsOneExperimentAndKeepsTheOthers) {
  Start();
  const auto before = MakeDecision(*learner_->snapshot()->plan, 0, 0,
                                   absl::ToUnixMillis(clock_.Now()), 1);
  EXPECT_EQ(Give(0, 2), Outcome::kAccepted);
  EXPECT_EQ(Give(1, 2), Outcome::kAccepted);

  ASSERT_TRUE(Do(Act::kReset).ok());
  // Whoever is answered sees it: the view, and what workers decide by.
  EXPECT_EQ(View(0).epoch, 2u);
  EXPECT_EQ(View(0).arms[0].reward_count, 0);
  EXPECT_EQ(View(0).life.life.state, State::kRunning);
  EXPECT_EQ(worker_->snapshot()->plan->experiments[0].epoch, 2u);
  EXPECT_EQ(View(1).epoch, 1u);
  EXPECT_EQ(View(1).arms[0].reward_count, 1);
  EXPECT_EQ(View(1).arms[0].reward_mean, 4);

  EXPECT_EQ(GiveFor(before), Outcome::kUnknown);
  EXPECT_EQ(Give(0, 3), Outcome::kAccepted);
  EXPECT_EQ(Give(1, 2), Outcome::kDuplicate);
  EXPECT_THAT(Log(), ElementsAre("config add: running", "config add: running",
                                 "ann reset: epoch 1 -> 2, because a bug"));
}

TEST_F(ResetTest, OutlivesARestart) {
  Start();
  EXPECT_EQ(Give(0, 1), Outcome::kAccepted);
  ASSERT_TRUE(Do(Act::kReset).ok());
  EXPECT_EQ(Give(0, 2), Outcome::kAccepted);
  learner_->Stop();
  Start();
  EXPECT_EQ(View(0).epoch, 2u);
  EXPECT_EQ(View(0).arms[0].reward_count, 1);
  EXPECT_EQ(Give(0, 2), Outcome::kDuplicate);
}

TEST_F(ResetTest, DecisionsUnderWayStayWithTheirEpoch) {
  Start();
  // Counted by the worker before the reset, harvested after it.
  worker_->Hold();
  worker_->Count([&](WorkerStatistics& statistics) {
    statistics.OnDecision(0, MakeDecision(*learner_->snapshot()->plan, 0, 0,
                                          absl::ToUnixMillis(clock_.Now()), 7));
  });
  ASSERT_TRUE(Do(Act::kReset).ok());
  worker_->Count([&](WorkerStatistics& statistics) {
    statistics.OnDecision(0, MakeDecision(*learner_->snapshot()->plan, 0, 0,
                                          absl::ToUnixMillis(clock_.Now()), 8));
  });
  worker_->AnswerHeld();
  worker_->AwaitTick();
  EXPECT_EQ(View(0).decisions, 1u);
}

TEST_F(ResetTest, KeepsTheStateAndIsNotForDraftsNorWhatIsConcluded) {
  plan_.experiments[0].draft = true;
  Start();
  EXPECT_THAT(std::string(Do(Act::kReset).message()),
              HasSubstr("it is draft, and reset is for one that is running"));
  ASSERT_TRUE(Do(Act::kStart).ok());
  ASSERT_TRUE(Do(Act::kPause).ok());
  ASSERT_TRUE(Do(Act::kReset, "bob").ok());
  EXPECT_EQ(View(0).life.life.state, State::kPaused);
  EXPECT_EQ(View(0).life.life.who, "ann");
  ASSERT_TRUE(Do(Act::kConclude).ok());
  EXPECT_EQ(Do(Act::kReset).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(View(0).epoch, 2u);
}

TEST_F(ResetTest, WaitsForAnotherWhereAStartDoes) {
  Start();
  learner_->Stop();
  plan_.approval.start = true;
  Start();
  ASSERT_TRUE(Do(Act::kReset).ok());
  EXPECT_EQ(View(0).epoch, 1u);
  ASSERT_TRUE(View(0).life.life.pending.has_value());
  EXPECT_EQ(Do(Act::kReset, "ann", /*approve=*/true).code(),
            absl::StatusCode::kPermissionDenied);
  ASSERT_TRUE(Do(Act::kReset, "bob", /*approve=*/true).ok());
  EXPECT_EQ(View(0).epoch, 2u);
  EXPECT_FALSE(View(0).life.life.pending.has_value());
  EXPECT_THAT(Log(),
              ElementsAre("config add: running", "config add: running",
                          "ann reset: epoch 1 -> 2, waits for approval, "
                          "because a bug",
                          "bob approve: reset: epoch 1 -> 2, asked for by ann, "
                          "because a bug"));
}

// Whatever call to the store fails, nothing or all of it has happened.
TEST_F(ResetTest, AStoreThatFailsLeavesTheOldEpoch) {
  Start();
  EXPECT_EQ(Give(0, 1), Outcome::kAccepted);
  int failures = 0;
  for (int calls = 0; calls < 40; ++calls) {
    faults_->calls_left = calls;
    const absl::Status status = Do(Act::kReset);
    faults_->calls_left = -1;
    if (status.ok()) break;
    ++failures;
    EXPECT_EQ(View(0).epoch, 1u) << calls;
    EXPECT_EQ(View(0).arms[0].reward_count, 1) << calls;
    EXPECT_EQ(Give(0, 1), Outcome::kDuplicate) << calls;
  }
  EXPECT_GT(failures, 0);
  EXPECT_EQ(View(0).epoch, 2u);
  EXPECT_EQ(real_->Experiments()->at("ranker").epoch, 2u);
}

}  // namespace
}  // namespace bandit::learning
