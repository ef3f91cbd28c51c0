// SPDX-License-Identifier: Apache-2.0
#include "router/learning/steward.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "router/learning/config_change.h"
#include "router/learning/trainer.h"
#include "router/store/memory_store.h"
#include "tests/unit/learning/faulty_store.h"
#include "tests/unit/learning/log_capture.h"
#include "tests/unit/learning/test_plan.h"

namespace bandit::learning {
namespace {

using bandit::testing::MakeExperiment;
using experiment::Act;
using experiment::State;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

std::string NotHeld(const std::string&) { return ""; }

class StewardTest : public ::testing::Test {
 protected:
  StewardTest() {
    plan_.experiments.push_back(MakeExperiment({}));
    plan_.experiments[0].control = 0;
  }

  experiment::Experiment& ranker() { return plan_.experiments[0]; }

  // As a router does that starts, or loads another config.
  void Open() {
    auto opened = Steward::Open(&store_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    steward_ = *std::move(opened);
    Load();
  }
  void Load() {
    const auto status = steward_->Register(plan_, now_);
    ASSERT_TRUE(status.ok()) << status;
    steward_->Use(std::make_shared<const experiment::Plan>(plan_));
  }

  absl::Status Do(Act act, const std::string& who = "ann", bool proven = true,
                  const std::string& arm = "") {
    return steward_
        ->Do({.experiment = "ranker",
              .act = act,
              .arm = arm,
              .who = who,
              .proven = proven,
              .why = "so"},
             now_)
        .status();
  }
  absl::Status Approve(const std::string& who, bool proven = true) {
    return steward_
        ->Approve({.experiment = "ranker", .who = who, .proven = proven}, now_)
        .status();
  }
  Life life() const { return steward_->View("ranker").life; }
  experiment::Exposure exposure() {
    auto base = std::make_shared<Snapshot>();
    return steward_->Apply(base)->exposure.at(0);
  }
  void Pass(absl::Duration time, Steward::Hold hold = NotHeld) {
    now_ += time;
    const auto status = steward_->Tick(now_, hold);
    ASSERT_TRUE(status.ok()) << status;
  }
  std::vector<std::string> Log() {
    std::vector<std::string> lines;
    const auto entries = *real_->Audit(0, 1000);
    EXPECT_TRUE(store::VerifyAudit({}, entries).ok());
    for (const auto& entry : entries) {
      lines.push_back(entry.who + " " + entry.act + ": " + entry.detail);
    }
    return lines;
  }

  std::unique_ptr<store::StateStore> real_ = store::MakeMemoryStore();
  std::shared_ptr<bandit::testing::Faults> faults_ =
      std::make_shared<bandit::testing::Faults>();
  bandit::testing::FaultyStore store_{real_.get(), faults_};
  experiment::Plan plan_;
  absl::Time now_ = kNow;
  std::unique_ptr<Steward> steward_;
};

TEST_F(StewardTest, ANewExperimentRunsUnlessItIsADraft) {
  Open();
  EXPECT_EQ(exposure(), (experiment::Exposure{State::kRunning, 0, 1}));
  plan_.experiments.push_back(MakeExperiment({.name = "other"}));
  plan_.experiments[1].draft = true;
  Load();
  EXPECT_EQ(steward_->View("other").life.state, State::kDraft);
  EXPECT_THAT(Log(), ElementsAre("config add: running", "config add: draft"));
}

TEST_F(StewardTest, OneThatAnEarlierRouterRanGoesOn) {
  {
    auto t = real_->Begin();
    ASSERT_TRUE((*t)->PutExperiment("ranker", {3, "f"}).ok());
    ASSERT_TRUE((*t)->Commit().ok());
  }
  ranker().draft = true;
  ranker().ramp = {{0.1, absl::Hours(1)}};
  Open();
  EXPECT_EQ(exposure(), (experiment::Exposure{State::kRunning, 0, 1}));
}

TEST_F(StewardTest, ActsChangeWhatRequestsGetAndSurviveARestart) {
  ranker().control = 1;
  Open();
  ASSERT_TRUE(Do(Act::kPause).ok());
  EXPECT_EQ(exposure(), (experiment::Exposure{State::kPaused, 1, 1}));
  ASSERT_TRUE(Do(Act::kResume).ok());
  EXPECT_EQ(exposure().state, State::kRunning);
  ASSERT_TRUE(Do(Act::kPromote, "ann", true, "control").ok());
  EXPECT_EQ(exposure(), (experiment::Exposure{State::kConcluded, 0, 1}));
  now_ += absl::Hours(1);
  Open();
  EXPECT_EQ(exposure(), (experiment::Exposure{State::kConcluded, 0, 1}));
  EXPECT_EQ(life().changed, kNow);
  EXPECT_EQ(life().who, "ann");
  EXPECT_EQ(life().why, "so");
  ASSERT_TRUE(Do(Act::kRollBack, "guardrails").ok());
  EXPECT_EQ(exposure(), (experiment::Exposure{State::kRolledBack, 1, 1}));
  EXPECT_THAT(Log(),
              ElementsAre("config add: running", "ann pause: running -> paused",
                          "ann resume: paused -> running",
                          "ann promote: running -> concluded, arm control",
                          "guardrails roll_back: concluded -> rolled_back"));
}

TEST_F(StewardTest, APromotedArmThatTheConfigHasNoLongerLeavesControl) {
  Open();
  ASSERT_TRUE(Do(Act::kPromote, "ann", true, "candidate").ok());
  EXPECT_EQ(exposure().arm, 1u);
  ranker().arms.pop_back();
  Load();
  EXPECT_EQ(exposure(), (experiment::Exposure{State::kConcluded, 0, 1}));
}

TEST_F(StewardTest, WhatCannotBeDoneSaysWhyAndChangesNothing) {
  Open();
  const Life before = life();
  EXPECT_EQ(Do(Act::kStart).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(std::string(Do(Act::kResume).message()),
            "experiment ranker: it is running, and resume is for one that is "
            "paused or rolled_back or concluded");
  const absl::Status arm = Do(Act::kPromote, "ann", true, "none");
  EXPECT_EQ(arm.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(arm.message()), HasSubstr("\"none\""));
  EXPECT_EQ(steward_->Do({.experiment = "x", .act = Act::kPause}, now_)
                .status()
                .code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(Approve("bob").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(life(), before);
  EXPECT_EQ(Log().size(), 1u);
}

// The state, its note and its entry are written together or not at all.
TEST_F(StewardTest, AStoreThatFailsAnywhereLeavesAllAsItWas) {
  Open();
  for (int calls = 0; calls < 4; ++calls) {
    faults_->calls_left = calls;
    EXPECT_EQ(Do(Act::kPause).code(), absl::StatusCode::kUnavailable) << calls;
    EXPECT_EQ(exposure().state, State::kRunning);
    faults_->calls_left = -1;
    EXPECT_EQ(Log().size(), 1u);
  }
  ASSERT_TRUE(Do(Act::kPause).ok());
}

TEST_F(StewardTest, ADamagedNoteIsSaid) {
  auto t = real_->Begin();
  ASSERT_TRUE((*t)->PutNote("ranker", "lifecycle", "\xff\xff").ok());
  ASSERT_TRUE((*t)->Commit().ok());
  EXPECT_EQ(Steward::Open(&store_).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(StewardTest, AnEditIsInTheLogWithWhatItChanged) {
  ranker().config.mutable_policy()->set_floor(0.01);
  Open();
  ranker().config.mutable_policy()->set_floor(0.02);
  Load();
  Load();  // The same again.
  EXPECT_THAT(Log(), ElementsAre("config add: running",
                                 "config edit: policy.floor: 0.01 -> 0.02"));
}

TEST_F(StewardTest, TheSnapshotIsAnotherOnlyWhenSomethingChanged) {
  Open();
  auto base = std::make_shared<const Snapshot>();
  const auto first = steward_->Apply(base);
  EXPECT_EQ(steward_->Apply(base), first);
  Pass(absl::Seconds(1));
  EXPECT_EQ(steward_->Apply(base), first);
  ASSERT_TRUE(Do(Act::kPause).ok());
  const auto second = steward_->Apply(base);
  EXPECT_NE(second, first);
  EXPECT_EQ(first->exposure[0].state, State::kRunning);
  EXPECT_NE(steward_->Apply(std::make_shared<const Snapshot>()), second);
}

class RampTest : public StewardTest {
 protected:
  RampTest() {
    ranker().ramp = {{0.1, absl::Minutes(10)}, {0.5, absl::Minutes(20)}};
  }
  // In steps as the learner's: more at once is a clock that jumped.
  void PassSlowly(absl::Duration time, Steward::Hold hold = NotHeld) {
    for (; time > absl::ZeroDuration(); time -= absl::Seconds(30)) {
      Pass(std::min(time, absl::Seconds(30)), hold);
    }
  }
};

TEST_F(RampTest, GoesOnWhenAStageHasLasted) {
  Open();
  Pass(absl::ZeroDuration());
  EXPECT_EQ(exposure().share, 0.1);
  PassSlowly(absl::Minutes(10) - absl::Seconds(1));
  EXPECT_EQ(exposure().share, 0.1);
  PassSlowly(absl::Seconds(1));
  EXPECT_EQ(exposure().share, 0.5);
  PassSlowly(absl::Minutes(20));
  EXPECT_EQ(exposure().share, 1);
  PassSlowly(absl::Minutes(60));
  EXPECT_THAT(Log(), ElementsAre("config add: running",
                                 "router ramp: 10 % -> 50 % of the units",
                                 "router ramp: 50 % -> 100 % of the units"));
}

TEST_F(RampTest, AHeldStageBeginsAnew) {
  Open();
  bandit::testing::LogCapture log;
  Pass(absl::ZeroDuration());
  PassSlowly(absl::Minutes(9));
  const auto hold = [](const std::string& name) {
    EXPECT_EQ(name, "ranker");
    return std::string("p99 of candidate");
  };
  PassSlowly(absl::Minutes(30), hold);
  EXPECT_EQ(steward_->View("ranker").held, "p99 of candidate");
  EXPECT_EQ(exposure().share, 0.1);
  EXPECT_THAT(log.text(), HasSubstr("the ramp is held: p99 of candidate"));
  PassSlowly(absl::Minutes(9));
  EXPECT_EQ(steward_->View("ranker").held, "");
  EXPECT_EQ(exposure().share, 0.1);
  PassSlowly(absl::Minutes(1));
  EXPECT_EQ(exposure().share, 0.5);
}

TEST_F(RampTest, TimeInWhichItDoesNotRunDoesNotCount) {
  Open();
  Pass(absl::ZeroDuration());
  PassSlowly(absl::Minutes(5));
  ASSERT_TRUE(Do(Act::kPause).ok());
  PassSlowly(absl::Hours(1));
  ASSERT_TRUE(Do(Act::kResume).ok());
  EXPECT_EQ(exposure().share, 0.1);
  // A clock that jumps is not time lived through.
  Pass(absl::Hours(5));
  EXPECT_EQ(exposure().share, 0.1);
  PassSlowly(absl::Minutes(4));
  EXPECT_EQ(exposure().share, 0.5);
}

TEST_F(RampTest, ARestartCostsAStageLittle) {
  Open();
  Pass(absl::ZeroDuration());
  PassSlowly(absl::Minutes(9));
  now_ += absl::Hours(3);
  Open();
  Pass(absl::ZeroDuration());
  EXPECT_GE(life().ramp.elapsed, absl::Minutes(9) - absl::Seconds(30));
  PassSlowly(absl::Minutes(1) + absl::Seconds(30));
  EXPECT_EQ(exposure().share, 0.5);
}

TEST_F(RampTest, WhatWasRolledBackIsLetInFromTheBeginning) {
  Open();
  Pass(absl::ZeroDuration());
  PassSlowly(absl::Minutes(10));
  ASSERT_TRUE(Do(Act::kRollBack).ok());
  ASSERT_TRUE(Do(Act::kResume).ok());
  EXPECT_EQ(exposure().share, 0.1);
}

TEST_F(RampTest, AStoreThatFailsLeavesTheStageUntilItWorks) {
  Open();
  Pass(absl::ZeroDuration());
  PassSlowly(absl::Minutes(10) - absl::Seconds(30));
  faults_->calls_left = 0;
  now_ += absl::Seconds(30);
  EXPECT_FALSE(steward_->Tick(now_, NotHeld).ok());
  EXPECT_EQ(exposure().share, 0.1);
  faults_->calls_left = -1;
  Pass(absl::Seconds(30));
  EXPECT_EQ(exposure().share, 0.5);
}

class ApprovalTest : public RampTest {
 protected:
  ApprovalTest() {
    plan_.approval = {.start = true, .ramp = true, .promote = true};
  }
};

TEST_F(ApprovalTest, AStartNeedsASecondIdentity) {
  Open();
  EXPECT_EQ(life().state, State::kDraft);
  // It must be known who asks.
  EXPECT_EQ(Do(Act::kStart, "ann", false).code(),
            absl::StatusCode::kPermissionDenied);
  ASSERT_TRUE(Do(Act::kStart, "ann").ok());
  EXPECT_EQ(life().state, State::kDraft);
  EXPECT_EQ(life().pending->who, "ann");
  Open();  // It is written down.
  EXPECT_EQ(Approve("ann").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Approve("bob", false).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(life().state, State::kDraft);
  ASSERT_TRUE(Approve("bob").ok());
  EXPECT_EQ(life().state, State::kRunning);
  EXPECT_FALSE(life().pending.has_value());
  EXPECT_EQ(Approve("bob").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(
      Log(),
      ElementsAre("config add: draft",
                  "ann start: draft -> running, waits for approval",
                  "bob approve: start: draft -> running, asked for by ann"));
}

TEST_F(ApprovalTest, WhatTakesARiskAwayNeedsNone) {
  Open();
  ASSERT_TRUE(Do(Act::kStart, "ann").ok());
  ASSERT_TRUE(Approve("bob").ok());
  ASSERT_TRUE(Do(Act::kPause, "x", false).ok());
  ASSERT_TRUE(Do(Act::kResume, "x", false).ok());
  ASSERT_TRUE(Do(Act::kRollBack, "x", false).ok());
  EXPECT_EQ(life().state, State::kRolledBack);
  // To let it run again is a start.
  ASSERT_TRUE(Do(Act::kResume, "ann").ok());
  EXPECT_EQ(life().state, State::kRolledBack);
  ASSERT_TRUE(Approve("bob").ok());
  EXPECT_EQ(life().state, State::kRunning);
}

TEST_F(ApprovalTest, AnotherActTakesBackWhatWaits) {
  Open();
  ASSERT_TRUE(Do(Act::kStart, "ann").ok());
  ASSERT_TRUE(Approve("bob").ok());
  ASSERT_TRUE(Do(Act::kPromote, "ann", true, "candidate").ok());
  EXPECT_EQ(life().pending->arm, "candidate");
  EXPECT_EQ(exposure().state, State::kRunning);
  ASSERT_TRUE(Do(Act::kPause, "ann").ok());
  EXPECT_FALSE(life().pending.has_value());
}

TEST_F(ApprovalTest, EachStageNeedsAnotherThanWhoLetTheRampGoOn) {
  Open();
  ASSERT_TRUE(Do(Act::kStart, "ann").ok());
  ASSERT_TRUE(Approve("bob").ok());
  Pass(absl::ZeroDuration());
  PassSlowly(absl::Minutes(15));
  EXPECT_EQ(exposure().share, 0.1);
  ASSERT_TRUE(life().pending.has_value());
  EXPECT_EQ(Approve("bob").code(), absl::StatusCode::kPermissionDenied);
  // Not while something holds it.
  Pass(absl::Seconds(1), [](const std::string&) { return "errors"; });
  EXPECT_THAT(std::string(Approve("ann").message()), HasSubstr("errors"));
  Pass(absl::Seconds(1));
  ASSERT_TRUE(Approve("ann").ok());
  EXPECT_EQ(exposure().share, 0.5);
  PassSlowly(absl::Minutes(25));
  EXPECT_EQ(Approve("ann").code(), absl::StatusCode::kPermissionDenied);
  ASSERT_TRUE(Approve("bob").ok());
  EXPECT_EQ(exposure().share, 1);
}

TEST(ConfigChangeTest, NamesFieldsAndIsBounded) {
  v1::ExperimentConfig before, after;
  before.set_name("a");
  (*before.mutable_policy()->mutable_params())["alpha"] = 1;
  after = before;
  (*after.mutable_policy()->mutable_params())["alpha"] = 2;
  after.add_arms()->set_name("new");
  const std::string change =
      DescribeChange(Serialize(before), Serialize(after));
  EXPECT_THAT(change, HasSubstr("alpha"));
  EXPECT_THAT(change, HasSubstr("added: arms[0]"));
  EXPECT_EQ(DescribeChange(Serialize(before), Serialize(before)), "");
  after.set_salt(std::string(5000, 'x'));
  EXPECT_LE(DescribeChange(Serialize(before), Serialize(after)).size(), 1003u);
}

}  // namespace
}  // namespace bandit::learning
