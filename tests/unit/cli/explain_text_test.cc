// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/explain.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace bandit::cli {
namespace {

std::string Render(const std::string& text) {
  v1::Explanation explanation;
  EXPECT_TRUE(
      google::protobuf::TextFormat::ParseFromString(text, &explanation));
  return RenderExplanation(explanation);
}

constexpr char kHead[] = R"(
  experiment: "ranker" epoch: 3 policy: "linucb"
  learned { seconds: 1700000000 }
  request { path: "/inference.GRPCInferenceService/ModelInfer" model: "ranker"
            metadata { key: "x-user" value: "ann" }
            assumed: "method ModelInfer" assumed: "model ranker" }
  rules { experiment: "search" mismatch: "the service is not search.Search" }
  rules { experiment: "half" beside: true }
)";

TEST(ExplainTextTest, TellsTheStepsInOrderAndTheArmLast) {
  EXPECT_EQ(Render(std::string(kHead) + R"(
    rules { experiment: "ranker" rule: 1 }
    taken_by: "ranker" state: "running"
    places { what: "holdout" unit_key: "x-account" place: 0.75 to: 0.1
             passes: true }
    places { what: "layer" name: "ranking" unit_key: "x-user" place: 0.625
             from: 0.5 to: 1 passes: true }
    places { what: "ramp" by_chance: true to: 0.25 passes: true }
    unit_key: "x-user" unit: "ann" unit_hash: "00000000000000ff"
    features { column: "intercept" value: 1 }
    features { column: "device=ios" value: 0.5 }
    missing: "device"
    floor: 0.02
    arms { name: "control" backend: "a" policy_probability: 0.25
           eligible_probability: 0.5 cap: 1 probability: 0.75 score: 0.5 }
    arms { name: "candidate" backend: "b" policy_probability: 0.5
           eligible_probability: 0.5 cap: 0.25 probability: 0.25
           score: 1.5 }
    arms { name: "third" policy_probability: 0.25 cap: 1
           out: "backend c is down: endpoints by state: 1 backoff"
           score: inf }
    arm: "control" propensity: 0.75 backend: "a"
    model: "r2" model_version: "7")"),
            R"(ranker: linucb, epoch 3, as learned at 2023-11-14 22:13:20 UTC

request   /inference.GRPCInferenceService/ModelInfer, model ranker, x-user=ann
          not given, so from the first match rule: method ModelInfer, model ranker
match     search, rule 1: does not match: the service is not search.Search
          half, rule 1: matches, but the unit is not in its share of the layer
          ranker, rule 2: takes it
state     running
holdout   the unit's place by x-account is 0.750000; held out is [0, 0.1): goes on
layer     the unit's place by x-user is 0.625000; let in is, of layer ranking, [0.5, 1): goes on
ramp      by chance, because every request is its own unit: let in is 25 %; what follows is for one that gets through
unit      ann by x-user, hash 00000000000000ff
features  intercept 1, device=ios 0.5
          absent or absurd: device
arms      by linucb, at least 0.02 each (its floor)
  arm        backend  by policy  eligible   cap  probability  score
  control    a         0.250000  0.500000     -     0.750000    0.5
  candidate  b         0.500000  0.500000  0.25     0.250000    1.5
  third      -         0.250000  0.000000     -     0.000000      -
  third cannot be drawn: backend c is down: endpoints by state: 1 backoff
=> control at a, as model r2 version 7, its score being the smallest; propensity 0.75
)");
}

TEST(ExplainTextTest, OneThatIsNotTakenSaysWhereItGoes) {
  EXPECT_THAT(Render(std::string(kHead) + R"(
    instead: "sent to default_backend c")"),
              ::testing::EndsWith("=> not in ranker: the request is sent to "
                                  "default_backend c\n"));
}

TEST(ExplainTextTest, OneThatIsNotCountedSaysWhy) {
  const std::string text = Render(std::string(kHead) + R"(
    state: "rolled_back" forced: "candidate" uncounted: "forced"
    arm: "candidate" backend: "b")");
  EXPECT_THAT(text, ::testing::HasSubstr("state     rolled back\n"));
  EXPECT_THAT(text, ::testing::EndsWith(
                        "forced    the request names the arm candidate itself\n"
                        "=> candidate at b, not counted: forced\n"));
}

TEST(ExplainTextTest, ByChanceThereIsNoScoreAndNoArm) {
  const std::string text = Render(std::string(kHead) + R"(
    state: "running" unit_key: "x-user" last_resort: true
    arms { name: "control" backend: "a" cap: 1 probability: 1 })");
  EXPECT_THAT(text, ::testing::HasSubstr("unit      there is no x-user"));
  EXPECT_THAT(text, ::testing::HasSubstr("1.000000      -\n"));
  EXPECT_THAT(text, ::testing::HasSubstr("the last resort is\n"));
  EXPECT_THAT(text, ::testing::EndsWith("=> chance decides, by the "
                                        "probabilities above\n"));
}

}  // namespace
}  // namespace bandit::cli
