// SPDX-License-Identifier: Apache-2.0
// What `watch` keeps and shows, from made-up statuses. The terminal itself is
// tests/integration/cli/watch_test.py's.
#include <cmath>

#include "clients/cli/watch_history.h"
#include "clients/cli/watch_text.h"
#include "gmock/gmock.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace bandit::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

constexpr char kStatus[] = R"(
  version: "1.2"
  started { seconds: 1699999000 }
  experiments {
    name: "ranker" policy: "thompson" reward_metric: "click" epoch: 1
    decisions: 100
    lifecycle { state: "running" ramp_share: 1 }
    arms { name: "control" backend: "a" probability: 0.25 decisions: 40
           state: "active" codes { key: "OK" value: 40 }
           reward_count: 40 reward_mean: 0.3
           latency { p50 { nanos: 1000000 } p95 { nanos: 2000000 }
                     p99 { nanos: 39600000 } } }
    arms { name: "candidate" backend: "b" probability: 0.75 decisions: 60
           state: "active" codes { key: "OK" value: 57 }
           codes { key: "INTERNAL" value: 3 } }
    metrics { name: "click" outcomes { key: "ACCEPTED" value: 80 } }
    guardrails { arm: "candidate" rule: "error below 0.02" action: "eject" }
  })";

class WatchTest : public ::testing::Test {
 protected:
  WatchTest() {
    EXPECT_TRUE(
        google::protobuf::TextFormat::ParseFromString(kStatus, &status_));
  }

  v1::ExperimentStatus& ranker() { return *status_.mutable_experiments(0); }
  void Decide(uint64_t control, uint64_t candidate) {
    for (const auto& [arm, count] : {std::pair(0, control), {1, candidate}}) {
      v1::ArmStatus* to = ranker().mutable_arms(arm);
      to->set_decisions(to->decisions() + count);
    }
    ranker().set_decisions(ranker().decisions() + control + candidate);
  }
  // Two seconds later.
  std::vector<std::string> Look() { return Add({.status = status_}); }
  std::vector<std::string> Fail(const std::string& why) {
    return Add({.status = {}, .failure = why});
  }
  std::vector<std::string> Add(cli::Look look) {
    now_ += absl::Seconds(2);
    look.time = now_;
    last_ = look;
    told_ = history_.Add(look);
    std::vector<std::string> texts;
    for (const WatchEvent& event : told_) texts.push_back(event.text);
    return texts;
  }
  std::string Screen(const Canvas& canvas) {
    std::string text;
    for (const std::string& line :
         RenderScreen(history_, "127.0.0.1:8081", canvas)) {
      text += line + "\n";
    }
    return text;
  }

  v1::RouterStatus status_;
  absl::Time now_ = kStart;
  cli::Look last_;
  WatchHistory history_;
  std::vector<WatchEvent> told_;
};

TEST_F(WatchTest, SharesAreThoseOfTheTimeBetweenLooks) {
  Look();
  EXPECT_THAT(history_.shares("ranker", "control"), IsEmpty());
  EXPECT_TRUE(std::isnan(history_.rate("ranker")));
  Decide(1, 3);
  Look();
  EXPECT_THAT(history_.shares("ranker", "control"), ElementsAre(0.25));
  EXPECT_THAT(history_.shares("ranker", "candidate"), ElementsAre(0.75));
  EXPECT_EQ(history_.rate("ranker"), 2);
  // Nothing was decided: there is no share.
  Look();
  EXPECT_TRUE(std::isnan(history_.shares("ranker", "control").back()));
  // A new epoch counts from nothing.
  ranker().set_epoch(2);
  Decide(5, 5);
  Look();
  EXPECT_TRUE(std::isnan(history_.shares("ranker", "control").back()));
}

TEST_F(WatchTest, MemoryIsBounded) {
  for (size_t i = 0; i < 3 * WatchHistory::kMostShares; ++i) {
    Decide(1, 1);
    ranker().mutable_arms(0)->set_state(i % 2 == 0 ? "ejected" : "active");
    Look();
  }
  EXPECT_EQ(history_.shares("ranker", "control").size(),
            WatchHistory::kMostShares);
  EXPECT_EQ(history_.events().size(), WatchHistory::kMostEvents);
}

TEST_F(WatchTest, TellsWhatHasHappenedBetweenLooks) {
  EXPECT_THAT(Look(), IsEmpty());
  EXPECT_THAT(Look(), IsEmpty());
  ranker().mutable_arms(1)->set_state("ejected");
  ranker().mutable_arms(1)->set_state_reason("error below 0.02: 3 of 60");
  ranker().mutable_guardrails(0)->set_trips(1);
  ranker().mutable_guardrails(0)->set_reason("3 of 60");
  EXPECT_THAT(Look(),
              ElementsAre("ranker, candidate: ejected: error below 0.02: 3 of "
                          "60",
                          "ranker, candidate: error below 0.02 is broken "
                          "(eject): 3 of 60"));
  EXPECT_TRUE(told_[0].bad);
  ranker().mutable_arms(1)->set_state("probation");
  EXPECT_THAT(Look(), ElementsAre("ranker, candidate: on probation"));
  ranker().set_epoch(2);
  ranker().set_policy("ucb1");
  ranker().mutable_lifecycle()->set_state("rolled_back");
  ranker().mutable_lifecycle()->set_who("ann");
  ranker().mutable_lifecycle()->set_why("errors");
  EXPECT_THAT(Look(), ElementsAre("ranker: epoch 2 begins",
                                  "ranker: policy ucb1 takes the place of "
                                  "thompson",
                                  "ranker: rolled back by ann: errors"));
  status_.set_degraded("state is not writable");
  EXPECT_THAT(Look(), ElementsAre("degraded: state is not writable"));
  status_.clear_degraded();
  status_.mutable_started()->set_seconds(1'700'000'100);
  status_.add_experiments()->set_name("new");
  status_.mutable_experiments()->SwapElements(0, 1);
  status_.mutable_experiments()->RemoveLast();
  EXPECT_THAT(Look(), ElementsAre("the router has restarted",
                                  "the learning side is well again", "new: new",
                                  "ranker: not configured any more"));
}

TEST_F(WatchTest, ARampAndWhatWaitsAreTold) {
  Look();
  ranker().mutable_lifecycle()->set_ramp_share(0.5);
  EXPECT_THAT(Look(),
              ElementsAre("ranker: the ramp lets in 50 % of the units"));
  ranker().mutable_lifecycle()->set_held("a guardrail holds it");
  ranker().mutable_lifecycle()->mutable_pending()->set_act("roll_back");
  EXPECT_THAT(Look(),
              ElementsAre("ranker: roll back waits for approval",
                          "ranker: the ramp is held: a guardrail holds it"));
  ranker().mutable_lifecycle()->clear_held();
  EXPECT_THAT(Look(), ElementsAre("ranker: the ramp is held no longer"));
}

TEST_F(WatchTest, ARouterThatIsAwayIsSaidAndWhatWasSeenStays) {
  Look();
  EXPECT_THAT(Fail("no router at x: connection refused"),
              ElementsAre("no router at x: connection refused"));
  EXPECT_THAT(Fail("no router at x: connection refused"), IsEmpty());
  const std::string screen = Screen({.width = 200});
  EXPECT_THAT(screen, HasSubstr("NO ANSWER for 4s"));
  EXPECT_THAT(screen, HasSubstr("ranker: thompson on click"));
  EXPECT_THAT(RenderAppended(history_, told_), HasSubstr("no answer for 4s"));
  status_.mutable_started()->set_seconds(1'700'000'100);
  EXPECT_THAT(Look(), ElementsAre("the router answers again, after 6s",
                                  "the router has restarted"));
  EXPECT_THAT(Screen({.width = 200}), Not(HasSubstr("NO ANSWER")));
}

TEST_F(WatchTest, TheScreenHoldsEveryArmAtAnyWidth) {
  Look();
  Decide(1, 3);
  Look();
  for (const bool unicode : {false, true}) {
    for (size_t width = 1; width < 220; ++width) {
      const Canvas canvas{.width = width, .color = true, .unicode = unicode};
      for (const std::string& line :
           RenderScreen(history_, "127.0.0.1:8081", canvas)) {
        // Escapes take no columns.
        size_t columns = 0;
        bool escape = false;
        for (const char c : line) {
          if (c == '\x1b') escape = true;
          if (!escape && (static_cast<unsigned char>(c) & 0xC0) != 0x80) {
            ++columns;
          }
          if (c == 'm') escape = false;
        }
        ASSERT_LE(columns, width) << line;
      }
    }
  }
  // On a narrow terminal what decides is what stays.
  const std::string narrow = Screen({.width = 50});
  EXPECT_THAT(narrow, HasSubstr("candidate  0.7500  60.6 %"));
  const std::string wide = Screen({.width = 180});
  for (const char* word : {"prob", "share over time", "click", "p50 ms",
                           "p99 ms", "39.6", "errors", "60.6 %"}) {
    EXPECT_THAT(wide, HasSubstr(word));
  }
  EXPECT_THAT(wide, HasSubstr("rewards for click: ACCEPTED 80"));
  EXPECT_THAT(wide, HasSubstr("104 decisions, 2 a second"));
}

TEST_F(WatchTest, TheReportGivesTheIntervalAndTheSplit) {
  cli::Look look{.status = status_};
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"(experiment: "ranker" epoch: 1 alpha: 0.05
         metrics { name: "click"
           arms { arm: "control"
                  mean { value: 0.3125 anytime { low: 0.25 high: 0.375 } } } }
         split { verdict: MISMATCH p: 0.00001 worst_arm: "candidate" z: 5 })",
      &look.reports["ranker"]));
  Add(look);
  std::string screen = Screen({.width = 180});
  EXPECT_THAT(screen, HasSubstr("95 % anytime"));
  EXPECT_THAT(screen, HasSubstr("0.3125  0.25 to 0.375"));
  EXPECT_THAT(screen, HasSubstr("split: MISMATCH"));
  // One of another epoch tells nothing of this one.
  ranker().set_epoch(2);
  Look();
  screen = Screen({.width = 180});
  EXPECT_THAT(screen, Not(HasSubstr("0.3125")));
  EXPECT_THAT(screen, HasSubstr("epoch 2 begins"));
}

TEST_F(WatchTest, AppendedLinesAreOneAnExperimentAndOneAnEvent) {
  Look();
  ranker().set_epoch(2);
  Look();
  EXPECT_EQ(RenderAppended(history_, told_),
            "2023-11-14T22:13:24Z event: ranker: epoch 2 begins\n"
            "2023-11-14T22:13:24Z ranker epoch=2 running decisions=100: "
            "control p=0.2500 share=0.4000 reward=0.3 p99=39.6ms errors=0; "
            "candidate p=0.7500 share=0.6000 p99=0.0ms errors=3\n");
}

TEST_F(WatchTest, AJsonLineIsOneObjectWithTheStatus) {
  Look();
  ranker().set_epoch(2);
  Look();
  std::string line = RenderJsonLine(last_, told_);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  google::protobuf::Struct object;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(line, &object).ok());
  EXPECT_EQ(object.fields()
                .at("events")
                .list_value()
                .values(0)
                .struct_value()
                .fields()
                .at("text")
                .string_value(),
            "ranker: epoch 2 begins");
  EXPECT_EQ(object.fields()
                .at("status")
                .struct_value()
                .fields()
                .at("version")
                .string_value(),
            "1.2");
  Fail("gone \"away\"");
  line = RenderJsonLine(last_, told_);
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(line, &object).ok());
  EXPECT_EQ(object.fields().at("failure").string_value(), "gone \"away\"");
  EXPECT_EQ(object.fields().count("status"), 0u);
}

TEST(WindowTest, ShowsAPartAndSaysHowMuchMoreThereIs) {
  const std::vector<std::string> lines = {"1", "2", "3", "4", "5"};
  const Canvas canvas{.width = 80, .height = 4};
  EXPECT_THAT(
      Window(lines, 0, canvas),
      ElementsAre("1", "2", "3", "q ends; arrows scroll: 0 above, 2 below"));
  EXPECT_THAT(Window(lines, 1, canvas)[0], "2");
  EXPECT_THAT(Window(lines, 99, canvas)[2], "5");
  EXPECT_THAT(Window(lines, 0, {.width = 80, .height = 7}),
              ElementsAre("1", "2", "3", "4", "5", "", "q ends"));
  EXPECT_THAT(Window(lines, 0, {.width = 80, .height = 0}), IsEmpty());
}

}  // namespace
}  // namespace bandit::cli
