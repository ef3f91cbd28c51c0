// SPDX-License-Identifier: Apache-2.0
#include "router/guardrails/experiment_guard.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/guardrails/rules.h"

namespace bandit::guardrails {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Probation kProbation{.base_ejection = absl::Minutes(1),
                               .max_ejection = absl::Minutes(10),
                               .share = 0.05,
                               .duration = absl::Seconds(30),
                               .requests = 100};

// An experiment in a second-by-second life: each arm's share of failures is
// set, and each tick brings 50 requests to every arm that may get some.
class World {
 public:
  explicit World(std::vector<Rule> rules, size_t arms = 3)
      : setup_{.experiment = "ranker",
               .arms = {},
               .control = 0,
               .rules = std::move(rules),
               .probation = kProbation},
        failures_(arms) {
    for (size_t a = 0; a < arms; ++a) {
      setup_.arms.push_back({a == 0 ? "control" : "arm" + std::to_string(a),
                             "backend" + std::to_string(a)});
    }
    totals_.resize(arms);
    for (ArmTotals& arm : totals_) arm.rules.resize(setup_.rules.size());
    guard_.emplace(setup_, GuardState(), totals_, now_);
  }

  void Fail(size_t arm, double share) { failures_[arm] = share; }

  // What happened in so many seconds, as "event arm".
  std::vector<std::string> Live(int seconds) {
    std::vector<std::string> events;
    for (int i = 0; i < seconds; ++i) {
      now_ += absl::Seconds(1);
      for (size_t a = 0; a < totals_.size(); ++a) {
        if (((guard_->eligible() >> a) & 1) == 0) continue;
        totals_[a].finished += 50;
        for (Sums& sums : totals_[a].rules) {
          sums += Hits(50 * failures_[a], 50);
        }
      }
      for (const Transition& one : guard_->Tick(totals_, now_)) {
        EXPECT_EQ(one.experiment, "ranker");
        EXPECT_EQ(one.time, now_);
        EXPECT_FALSE(one.reason.empty());
        last_ = one;
        events.push_back(std::string(Name(one.event)) +
                         (one.arm.empty() ? "" : " " + one.arm));
      }
    }
    return events;
  }

  // A restart: the process counts from nothing, the state was kept.
  void Restart() {
    const GuardState state = guard_->State(totals_);
    for (ArmTotals& arm : totals_) {
      arm = {};
      arm.rules.resize(setup_.rules.size());
    }
    guard_.emplace(setup_, state, totals_, now_);
  }

  GuardSetup setup_;
  std::vector<double> failures_;
  std::vector<ArmTotals> totals_;
  absl::Time now_ = kStart;
  std::optional<ExperimentGuard> guard_;
  Transition last_;
};

TEST(ExperimentGuardTest, LeavesHealthyArmsAlone) {
  World world({ErrorRule(), BesideControl(0)});
  for (size_t a = 0; a < 3; ++a) world.Fail(a, 0.01);
  EXPECT_THAT(world.Live(3600), IsEmpty());
  EXPECT_EQ(world.guard_->eligible(), 0b111);
  EXPECT_THAT(world.guard_->caps(), IsEmpty());
  EXPECT_FALSE(world.guard_->hold());
}

TEST(ExperimentGuardTest, EjectsABadArmAndTriesItAgain) {
  World world({ErrorRule()});
  world.Live(60);
  world.Fail(1, 0.2);
  EXPECT_THAT(world.Live(10), ElementsAre("ejected arm1"));
  EXPECT_THAT(world.last_.reason, HasSubstr("where 0.02 is the limit"));
  EXPECT_EQ(world.last_.rule, "error below 0.02");
  EXPECT_EQ(world.guard_->eligible(), 0b101);
  EXPECT_TRUE(world.guard_->hold());

  // Mended meanwhile: back after a minute out and 30 seconds on probation.
  world.Fail(1, 0);
  EXPECT_THAT(world.Live(60), ElementsAre("probation arm1"));
  EXPECT_EQ(world.guard_->eligible(), 0b111);
  EXPECT_THAT(world.guard_->caps(), ElementsAre(1, 0.05, 1));
  EXPECT_TRUE(world.guard_->hold());
  EXPECT_THAT(world.Live(40), ElementsAre("active arm1"));
  EXPECT_THAT(world.guard_->caps(), IsEmpty());
  EXPECT_FALSE(world.guard_->hold());
}

TEST(ExperimentGuardTest, EjectsAnArmThatIsStillBadForLonger) {
  World world({ErrorRule()});
  world.Fail(1, 0.2);
  const auto events = world.Live(200);
  EXPECT_THAT(events,
              ElementsAre("ejected arm1", "probation arm1", "ejected arm1",
                          "probation arm1", "ejected arm1"));
}

// The control arm is judged by what is absolute alone, and goes like others.
TEST(ExperimentGuardTest, EjectsTheControlArmWhileOthersAreLeft) {
  World world({BesideControl(0), ErrorRule()}, 2);
  world.Fail(0, 0.3);
  EXPECT_THAT(world.Live(20), ElementsAre("ejected control"));
  EXPECT_EQ(world.guard_->eligible(), 0b10);
}

TEST(ExperimentGuardTest, KeepsTheControlArmWhenNoOtherIsLeft) {
  World world({ErrorRule()}, 2);
  world.Fail(0, 0.3);
  EXPECT_THAT(world.Live(20), ElementsAre("ejected control"));
  world.Fail(1, 0.3);
  EXPECT_THAT(world.Live(10), ElementsAre("active control", "ejected arm1"));
  EXPECT_EQ(world.guard_->eligible(), 0b01);
  // Its failing was said.
  EXPECT_THAT(world.Live(20), IsEmpty());
  EXPECT_THAT(world.Live(60), ElementsAre("probation arm1", "ejected arm1"));
  EXPECT_EQ(world.guard_->eligible(), 0b01);
}

TEST(ExperimentGuardTest, SaysAlertsOnceAWhile) {
  World world({ErrorRule(Action::kAlert)});
  world.Fail(2, 0.5);
  EXPECT_THAT(world.Live(50), ElementsAre("alert arm2"));
  EXPECT_EQ(world.guard_->eligible(), 0b111);
  EXPECT_FALSE(world.guard_->hold());
}

TEST(ExperimentGuardTest, HoldsARampUntilTheRuleIsKeptAgain) {
  World world({ErrorRule(Action::kHold)});
  world.Fail(2, 0.5);
  EXPECT_THAT(world.Live(30), ElementsAre("hold arm2"));
  EXPECT_TRUE(world.guard_->hold());
  EXPECT_EQ(world.guard_->eligible(), 0b111);
  world.Fail(2, 0);
  EXPECT_THAT(world.Live(20 * 60), ElementsAre("release"));
  EXPECT_FALSE(world.guard_->hold());
}

TEST(ExperimentGuardTest, RollsBackForGood) {
  World world({ErrorRule(Action::kRollBack)});
  world.Fail(1, 0.2);
  EXPECT_THAT(world.Live(20), ElementsAre("rolled_back arm1"));
  world.Fail(1, 0);
  EXPECT_THAT(world.Live(3600), IsEmpty());
  EXPECT_EQ(world.guard_->eligible(), 0b001);
  EXPECT_TRUE(world.guard_->rolled_back());
  EXPECT_TRUE(world.guard_->hold());
  world.Restart();
  EXPECT_EQ(world.guard_->eligible(), 0b001);

  const Transition undone =
      world.guard_->Reinstate(world.totals_, "ann: it is mended", world.now_);
  EXPECT_EQ(undone.event, Event::kReinstated);
  EXPECT_EQ(undone.reason, "ann: it is mended");
  EXPECT_EQ(world.guard_->eligible(), 0b111);
  EXPECT_FALSE(world.guard_->hold());
  EXPECT_THAT(world.Live(60), IsEmpty());
}

// To roll back from the control arm to itself would say what is not so.
TEST(ExperimentGuardTest, DoesNotRollBackFromTheControlArm) {
  World world({ErrorRule(Action::kRollBack)});
  world.Fail(0, 0.2);
  EXPECT_THAT(world.Live(30), ElementsAre("alert control"));
  EXPECT_FALSE(world.guard_->rolled_back());
}

TEST(ExperimentGuardTest, GoesOnAfterARestart) {
  World world({ErrorRule()});
  world.Fail(1, 0.2);
  EXPECT_THAT(world.Live(10), ElementsAre("ejected arm1"));
  const std::string reason = world.guard_->arm(1).reason;
  world.Restart();
  EXPECT_EQ(world.guard_->eligible(), 0b101);
  EXPECT_EQ(world.guard_->arm(1).reason, reason);
  EXPECT_EQ(world.guard_->watch(1, 0).trips(), 1);
  world.Fail(1, 0);
  EXPECT_THAT(world.Live(100), ElementsAre("probation arm1", "active arm1"));
}

// Evidence too: half before, half after the restart.
TEST(ExperimentGuardTest, AddsEvidenceAcrossARestart) {
  const auto seconds = [](bool restart) {
    World world({ErrorRule()});
    world.Fail(1, 0.06);
    for (int second = 1; second < 100; ++second) {
      if (!world.Live(1).empty()) return second;
      if (restart) world.Restart();
    }
    return 100;
  };
  EXPECT_EQ(seconds(true), seconds(false));
  EXPECT_LT(seconds(false), 60);
}

// A reload: what is still the same keeps its state, by name.
TEST(ExperimentGuardTest, CarriesArmsOverAReload) {
  World world({ErrorRule()});
  world.Fail(1, 0.2);
  world.Fail(2, 0.2);
  world.Live(10);
  ASSERT_EQ(world.guard_->eligible(), 0b001);
  GuardSetup setup = world.setup_;
  setup.arms = {{"new", "backend9"},
                {"arm2", "another backend"},
                {"arm1", "backend1"},
                {"control", "backend0"}};
  setup.control = 3;
  std::vector<ArmTotals> totals(4);
  for (ArmTotals& arm : totals) arm.rules.resize(1);
  ExperimentGuard reloaded(setup, world.guard_->State(world.totals_), totals,
                           world.now_);
  EXPECT_EQ(reloaded.eligible(), 0b1011);
}

// Evidence beside a control arm that is another now is worth nothing.
TEST(ExperimentGuardTest, BeginsAnewBesideAnotherControlArm) {
  const auto seconds = [](bool another) {
    World world({BesideControl(0)});
    world.Fail(0, 0.02);
    world.Fail(1, 0.08);
    EXPECT_THAT(world.Live(4), IsEmpty());
    if (another) world.setup_.arms[0].identity = "backend9";
    world.Restart();
    for (int second = 1; second < 100; ++second) {
      if (!world.Live(1).empty()) return second;
    }
    return 100;
  };
  EXPECT_LT(seconds(false), seconds(true));
}

// Without rules nothing could bring an arm back.
TEST(ExperimentGuardTest, LetsGoWhenTheRulesAreTakenAway) {
  World world({ErrorRule(Action::kRollBack)});
  world.Fail(1, 0.2);
  world.Live(10);
  ASSERT_TRUE(world.guard_->rolled_back());
  GuardSetup setup = world.setup_;
  setup.rules.clear();
  const std::vector<ArmTotals> totals(3);
  ExperimentGuard reloaded(setup, world.guard_->State(world.totals_), totals,
                           world.now_);
  EXPECT_EQ(reloaded.eligible(), 0b111);
  EXPECT_FALSE(reloaded.hold());
}

}  // namespace
}  // namespace bandit::guardrails
