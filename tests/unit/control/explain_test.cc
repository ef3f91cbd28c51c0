// SPDX-License-Identifier: Apache-2.0
// Over a config that has everything which can decide an arm. That explained
// arms are those really served is tested over the data plane, in
// tests/integration/cli/explain_test.py.
#include "router/control/explain.h"

#include <cmath>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "router/config/load.h"
#include "router/experiment/assignment.h"
#include "router/experiment/entry.h"
#include "router/learning/trainer.h"

namespace bandit::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kConfig[] = R"(
listen: 127.0.0.1:0
control: 127.0.0.1:0
admin: 127.0.0.1:0
state: 'memory:'
backends:
  a: {address: '127.0.0.1:1'}
  b: {address: '127.0.0.1:2'}
  c: {address: '127.0.0.1:3'}
default_backend: c
layers:
  - {name: ranking, unit: {metadata: x-user}, holdout: 0.1}
holdout: {share: 0.1, unit: {metadata: x-account}}
experiments:
  - name: search
    match: {service: search.Search}
    arms: [{name: old, backend: a}, {name: new, backend: b}]
    policy: {name: fixed_split}
    metrics: [{name: click, kind: binary}]
  - name: half
    match: {service: inference.GRPCInferenceService, model: ranker}
    unit: {metadata: x-user}
    layer: {name: ranking, to: 0.5}
    arms: [{name: one, backend: a}, {name: two, backend: b}]
    policy: {name: fixed_split}
    metrics: [{name: click, kind: binary}]
  - name: ranker
    match:
      service: inference.GRPCInferenceService
      model: ranker
      metadata: {x-tier: gold}
      where: [{metadata: x-country, not_in: [de]}]
    unit: {metadata: x-user}
    layer: {name: ranking, from: 0.5}
    forced_arms: {}
    arms:
      - {name: control, backend: a, weight: 50}
      - {name: candidate, backend: b, weight: 30, model: {name: r2, version: "7"}}
      - {name: third, backend: c, weight: 20}
    policy: {name: linucb, floor: 0.03}
    context:
      features:
        - {name: device, metadata: x-device, categories: [ios, android]}
        - {name: tokens, metadata: x-tokens, min: 0, max: 100}
    metrics: [{name: click, kind: binary}]
  - name: prompt
    overlay: true
    match: {service: inference.GRPCInferenceService}
    unit: {metadata: x-user}
    arms:
      - {name: short, metadata: {x-prompt: short}}
      - {name: long, metadata: {x-prompt: long}}
    policy: {name: fixed_split}
    metrics: [{name: click, kind: binary}]
)";

class ExplainTest : public ::testing::Test {
 protected:
  static constexpr size_t kRanker = 2;

  ExplainTest() {
    const auto loaded = config::LoadText(
        kConfig, "router.yaml",
        [](std::string_view) { return std::optional<std::string>(); });
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    const auto plan = experiment::CompilePlan(loaded->proto, {});
    EXPECT_TRUE(plan.ok()) << plan.status();
    const auto trainer = learning::Trainer::Start(*plan);
    EXPECT_TRUE(trainer.ok()) << trainer.status();
    snapshot_ = *(*trainer)->snapshot();
  }

  static v1::ExplainRequest Ask(
      const std::string& experiment,
      const std::vector<std::pair<std::string, std::string>>& metadata = {}) {
    v1::ExplainRequest asked;
    asked.set_experiment(experiment);
    for (const auto& [key, value] : metadata) {
      v1::MetadataEntry* entry = asked.add_metadata();
      entry->set_key(key);
      entry->set_value(value);
    }
    return asked;
  }
  // A unit that gets through the account's holdout.
  static v1::ExplainRequest AskFor(const std::string& user) {
    v1::ExplainRequest asked = Ask("ranker", {{"x-account", kIn}});
    asked.set_unit(user);
    return asked;
  }

  absl::StatusOr<v1::Explanation> Try(const v1::ExplainRequest& asked) {
    return Explain(snapshot_, view_, asked, [this](size_t backend) {
      return backend == down_ ? std::string("endpoints by state: 1 backoff")
                              : std::string();
    });
  }
  v1::Explanation Get(const v1::ExplainRequest& asked) {
    auto explanation = Try(asked);
    EXPECT_TRUE(explanation.ok()) << explanation.status();
    return *std::move(explanation);
  }
  // The first user for whom `fits` holds.
  template <typename Fits>
  std::string User(const Fits& fits) {
    for (int i = 0; i < 1000; ++i) {
      const std::string user = fmt::format("user-{}", i);
      if (fits(Get(AskFor(user)))) return user;
    }
    ADD_FAILURE() << "none of 1,000 users is so";
    return "";
  }
  // One that the ranker takes and counts.
  std::string InUser() {
    return User([](const v1::Explanation& e) {
      return e.instead().empty() && e.uncounted().empty();
    });
  }

  static std::vector<std::string> Outs(const v1::Explanation& explanation) {
    std::vector<std::string> outs;
    for (const auto& arm : explanation.arms()) outs.push_back(arm.out());
    return outs;
  }

  static constexpr char kIn[] = "account-1";  // Its place is not held out.
  learning::Snapshot snapshot_;
  learning::View view_{.learned = absl::FromUnixSeconds(1'700'000'000)};
  size_t down_ = SIZE_MAX;
};

TEST_F(ExplainTest, WhatIsNotGivenComesFromTheFirstMatchRule) {
  const v1::Explanation explanation = Get(AskFor(InUser()));
  EXPECT_EQ(explanation.request().path(),
            "/inference.GRPCInferenceService/ModelInfer");
  EXPECT_EQ(explanation.request().model(), "ranker");
  EXPECT_THAT(
      explanation.request().assumed(),
      ElementsAre("service inference.GRPCInferenceService", "method ModelInfer",
                  "model ranker", "metadata x-tier=gold"));
}

TEST_F(ExplainTest, TheSmallestScoreWinsAndSharesAddUp) {
  const v1::Explanation explanation = Get(AskFor(InUser()));
  ASSERT_EQ(explanation.arms_size(), 3);
  double sum = 0, smallest = INFINITY;
  std::string winner;
  for (const v1::ArmStep& arm : explanation.arms()) {
    sum += arm.probability();
    EXPECT_NEAR(
        arm.score(),
        experiment::ScoreOf(std::stoull(explanation.unit_hash(), nullptr, 16),
                            arm.name()) /
            arm.probability(),
        1e-9);
    if (arm.score() < smallest) {
      smallest = arm.score();
      winner = arm.name();
    }
  }
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_EQ(explanation.arm(), winner);
  EXPECT_DOUBLE_EQ(explanation.floor(), 0.03);
}

TEST_F(ExplainTest, TellsFeaturesAndWhichWereAbsentOrAbsurd) {
  v1::ExplainRequest asked = AskFor(InUser());
  for (const auto& [key, value] :
       {std::pair("x-device", "android"), std::pair("x-tokens", "1000")}) {
    v1::MetadataEntry* entry = asked.add_metadata();
    entry->set_key(key);
    entry->set_value(value);
  }
  const v1::Explanation explanation = Get(asked);
  std::vector<std::string> columns;
  for (const auto& feature : explanation.features()) {
    columns.push_back(
        fmt::format("{} {:g}", feature.column(), feature.value()));
  }
  EXPECT_THAT(columns, ElementsAre("intercept 1", "device=ios 0",
                                   "device=android 1", "tokens 0"));
  EXPECT_THAT(explanation.missing(), ElementsAre("tokens"));
}

TEST_F(ExplainTest, EjectedArmsAndThoseWhoseBackendIsDownAreOut) {
  const std::string user = InUser();
  snapshot_.eligible[kRanker] = 0b101;
  learning::ExperimentView& ranker = view_.experiments.emplace_back();
  ranker.name = "ranker";
  ranker.arms.resize(3);
  ranker.arms[1].guard.rule = "error below 0.02";
  ranker.arms[1].guard.reason = "0.5 of 40";
  down_ = 2;
  v1::Explanation explanation = Get(AskFor(user));
  EXPECT_THAT(
      Outs(explanation),
      ElementsAre("", "guardrails ejected it: error below 0.02: 0.5 of 40",
                  "backend c is down: endpoints by state: 1 backoff"));
  EXPECT_EQ(explanation.arm(), "control");
  EXPECT_EQ(explanation.propensity(), 1);
  EXPECT_EQ(explanation.arms(1).probability(), 0);
  EXPECT_GT(explanation.arms(1).policy_probability(), 0);
  EXPECT_TRUE(std::isinf(explanation.arms(1).score()));
  // Where nothing is left, the last resort is.
  snapshot_.eligible[kRanker] = 0b100;
  explanation = Get(AskFor(user));
  EXPECT_TRUE(explanation.last_resort());
  EXPECT_EQ(explanation.arm(), "control");
}

TEST_F(ExplainTest, CapsCutWhatAnArmIsDrawnWith) {
  const std::string user = InUser();
  snapshot_.caps[kRanker] = {1, 0.01, 1};
  const v1::Explanation explanation = Get(AskFor(user));
  EXPECT_EQ(explanation.arms(1).cap(), 0.01);
  EXPECT_LE(explanation.arms(1).probability(), 0.01);
  EXPECT_GT(explanation.arms(1).eligible_probability(), 0.01);
}

TEST_F(ExplainTest, SaysWhichRuleDoesNotMatchAndWhereTheRequestGoes) {
  v1::ExplainRequest asked = AskFor(InUser());
  v1::MetadataEntry* entry = asked.add_metadata();
  entry->set_key("x-country");
  entry->set_value("de");
  v1::Explanation explanation = Get(asked);
  EXPECT_THAT(explanation.instead(), HasSubstr("taken by experiment half"));
  EXPECT_THAT(explanation.arm(), IsEmpty());
  ASSERT_EQ(explanation.rules_size(), 3);
  EXPECT_EQ(explanation.rules(0).mismatch(),
            "the service is not search.Search");
  EXPECT_TRUE(explanation.rules(1).beside());
  EXPECT_EQ(explanation.rules(2).mismatch(),
            "x-country is de, and must be none of de");

  asked = AskFor("ann");
  asked.set_model("other");
  explanation = Get(asked);
  EXPECT_EQ(explanation.instead(), "sent to default_backend c");
  EXPECT_EQ(explanation.rules(2).mismatch(), "the model is other, not ranker");
}

TEST_F(ExplainTest, AUnitOfAnotherShareOfTheLayerIsTakenByIt) {
  const std::string user =
      User([](const v1::Explanation& e) { return e.taken_by() == "half"; });
  const v1::Explanation explanation = Get(AskFor(user));
  EXPECT_EQ(explanation.instead(), "taken by experiment half");
  EXPECT_EQ(explanation.rules().rbegin()->experiment(), "half");
}

// Every reason that keeps a unit out comes from the request path's function.
TEST_F(ExplainTest, PlacesAgreeWithWhatTheRequestPathDecides) {
  snapshot_.exposure[kRanker].share = 0.5;
  std::map<std::string, int> seen;
  for (int i = 0; i < 2000; ++i) {
    v1::ExplainRequest asked =
        Ask("ranker", {{"x-account", fmt::format("account-{}", i % 7)}});
    asked.set_unit(fmt::format("user-{}", i));
    const v1::Explanation explanation = Get(asked);
    if (!explanation.instead().empty()) continue;
    ++seen[explanation.uncounted()];
    // The steps say the same as the verdict.
    std::string first;
    for (const v1::PlaceStep& step : explanation.places()) {
      EXPECT_FALSE(step.by_chance());
      const bool within =
          step.from() <= step.place() && step.place() < step.to();
      const bool holdout = step.what().ends_with("holdout");
      EXPECT_EQ(step.passes(), within != holdout);
      if (!step.passes() && first.empty()) {
        first = holdout ? "holdout" : step.what();
      }
    }
    EXPECT_EQ(explanation.uncounted(), first);
    if (!first.empty()) EXPECT_EQ(explanation.arm(), "control");
  }
  EXPECT_GT(seen[""], 100);
  EXPECT_GT(seen["ramp"], 100);
  EXPECT_GT(seen["holdout"], 20);
}

TEST_F(ExplainTest, WithoutAUnitChanceDecides) {
  const v1::Explanation explanation = Get(Ask("ranker"));
  EXPECT_THAT(explanation.arm(), IsEmpty());
  EXPECT_THAT(explanation.unit_hash(), IsEmpty());
  EXPECT_EQ(explanation.taken_by(), "ranker");
  ASSERT_EQ(explanation.places_size(), 3);
  for (const v1::PlaceStep& step : explanation.places()) {
    EXPECT_TRUE(step.by_chance()) << step.what();
  }
  EXPECT_FALSE(explanation.arms(0).has_score());
}

TEST_F(ExplainTest, AStateOtherThanRunningEndsIt) {
  const std::string user = InUser();
  snapshot_.exposure[kRanker] = {
      .state = experiment::State::kConcluded, .arm = 1, .share = 1};
  const v1::Explanation explanation = Get(AskFor(user));
  EXPECT_EQ(explanation.state(), "concluded");
  EXPECT_EQ(explanation.uncounted(), "concluded");
  EXPECT_EQ(explanation.arm(), "candidate");
  EXPECT_EQ(explanation.model(), "r2");
  EXPECT_EQ(explanation.model_version(), "7");
  EXPECT_TRUE(explanation.arms().empty());
}

TEST_F(ExplainTest, AForcedArmIsNotCountedAndAnUnknownOneRefused) {
  v1::ExplainRequest asked = AskFor(InUser());
  v1::MetadataEntry* entry = asked.add_metadata();
  entry->set_key("x-bandit-force-arm");
  entry->set_value("third");
  EXPECT_EQ(Get(asked).uncounted(), "forced");
  EXPECT_EQ(Get(asked).arm(), "third");
  entry->set_value("fourth");
  EXPECT_THAT(Get(asked).instead(), HasSubstr("INVALID_ARGUMENT"));
}

TEST_F(ExplainTest, AnOverlayTakesWhatOthersServe) {
  v1::ExplainRequest asked = Ask("prompt", {{"x-account", kIn}});
  asked.set_unit("ann");
  const v1::Explanation explanation = Get(asked);
  EXPECT_EQ(explanation.taken_by(), "prompt");
  EXPECT_THAT(explanation.arm(), ::testing::AnyOf("short", "long"));
  EXPECT_THAT(explanation.backend(), IsEmpty());
}

TEST_F(ExplainTest, WhatCannotBeAskedIsRefusedWithTheMend) {
  EXPECT_EQ(Try(Ask("none")).status().code(), absl::StatusCode::kNotFound);
  v1::ExplainRequest asked = Ask("search");
  asked.set_unit("ann");
  EXPECT_THAT(std::string(Try(asked).status().message()),
              HasSubstr("experiment search has no `unit`"));
  EXPECT_THAT(
      std::string(Try(Ask("search", {{":path", "/x"}})).status().message()),
      HasSubstr("is no key of metadata"));
  asked = AskFor("ann");
  asked.mutable_metadata(0)->set_key("x-user");
  EXPECT_THAT(std::string(Try(asked).status().message()),
              HasSubstr("which is given twice"));
}

}  // namespace
}  // namespace bandit::control
