// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/assignment.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace bandit::experiment {
namespace {

using ::testing::ElementsAre;

constexpr policies::ArmSet kAll = policies::AllArms(3);

// Weights 0.6, 0.3 and 0.1; with features, x[1] decides the first arm's weight.
class FakeModel : public policies::Model {
 public:
  explicit FakeModel(double floor = 0) : policies::Model(floor) {}

  mutable std::vector<float> seen;

 private:
  void Weights(absl::Span<const float> x, policies::ArmSet eligible,
               absl::Span<double> w) const override {
    seen.assign(x.begin(), x.end());
    const double weights[] = {x.empty() ? 0.6 : x[1], 0.3, 0.1};
    for (size_t i = 0; i < w.size(); ++i) {
      w[i] = policies::Contains(eligible, i) ? weights[i] : 0;
    }
  }
};

Experiment Ranker() {
  Experiment experiment;
  experiment.name = "ranker";
  experiment.id = ExperimentId("ranker");
  experiment.epoch = 5;
  experiment.salt = "ranker";
  for (const char* name : {"a", "b", "c"}) {
    experiment.arms.push_back({.name = name, .backend = 0, .model = {}});
  }
  return experiment;
}

Experiment WithUnit() {
  Experiment experiment = Ranker();
  experiment.unit_key = "x-user";
  return experiment;
}

Experiment WithContext() {
  Experiment experiment = Ranker();
  v1::ContextConfig config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(R"(
      features { name: 'n' metadata: 'x-n' scale: 3 missing: 1 })",
                                                            &config));
  experiment.features = FeatureEncoder(config);
  return experiment;
}

TEST(AssignTest, FillsTheDecision) {
  std::mt19937_64 random(1), same(1);
  Assignment assignment;
  Assign(Ranker(), FakeModel(), kAll, {}, 1700000000123, random, &assignment);
  const Decision& decision = assignment.decision;
  EXPECT_EQ(decision.experiment, ExperimentId("ranker"));
  EXPECT_EQ(decision.epoch, 5);
  EXPECT_EQ(decision.time_ms, 1700000000123);
  EXPECT_EQ(decision.id, same());
  EXPECT_EQ(decision.unit, decision.id);
  EXPECT_TRUE(decision.features.empty());
  EXPECT_EQ(assignment.missing_features, 0);
  // The id, then the draw.
  same();
  EXPECT_EQ(random, same);
}

// The propensity is the drawn arm's entry of p, to the last bit; arms come up
// at their probability (5 standard deviations: 6e-7).
TEST(AssignTest, ThePropensityIsTheProbabilityThatWasUsed) {
  constexpr int kRounds = 100'000;
  const FakeModel model(/*floor=*/0.05);
  std::vector<double> p(3), counts(3);
  model.Probabilities({}, kAll, absl::MakeSpan(p));
  std::mt19937_64 random(2);
  Assignment assignment;
  for (int i = 0; i < kRounds; ++i) {
    Assign(Ranker(), model, kAll, {}, 0, random, &assignment);
    const Decision& decision = assignment.decision;
    ASSERT_EQ(decision.propensity, p[decision.arm]);
    ++counts[decision.arm];
  }
  for (size_t arm = 0; arm < 3; ++arm) {
    EXPECT_NEAR(counts[arm], p[arm] * kRounds,
                5 * std::sqrt(kRounds * p[arm] * (1 - p[arm])));
  }
}

TEST(AssignTest, IneligibleArmsAreNeverDrawn) {
  std::mt19937_64 random(3);
  Assignment assignment;
  const http2::Header user[] = {{"x-user", "alice"}};
  for (int i = 0; i < 1000; ++i) {
    Assign(Ranker(), FakeModel(), 0b100, {}, 0, random, &assignment);
    EXPECT_EQ(assignment.decision.arm, 2);
    EXPECT_EQ(assignment.decision.propensity, 1);
  }
  Assign(WithUnit(), FakeModel(), 0b010, user, 0, random, &assignment);
  EXPECT_EQ(assignment.decision.arm, 1);
}

TEST(AssignTest, AUnitKeepsItsArm) {
  std::mt19937_64 random(4);
  std::map<std::string, uint32_t> arms;
  std::vector<double> p(3);
  FakeModel().Probabilities({}, kAll, absl::MakeSpan(p));
  Assignment assignment;
  for (int i = 0; i < 3000; ++i) {
    const std::string unit = fmt::format("user-{}", i % 100);
    const http2::Header headers[] = {{"x-other", "y"}, {"x-user", unit}};
    Assign(WithUnit(), FakeModel(), kAll, headers, i, random, &assignment);
    const Decision& decision = assignment.decision;
    EXPECT_EQ(decision.unit, HashUnit(Purpose::kArm, "ranker", unit));
    EXPECT_EQ(arms.emplace(unit, decision.arm).first->second, decision.arm);
    EXPECT_EQ(decision.propensity, p[decision.arm]);
  }
  // Decisions of one unit differ in their ids nonetheless.
  const uint64_t id = assignment.decision.id;
  const http2::Header headers[] = {{"x-user", "alice"}};
  Assign(WithUnit(), FakeModel(), kAll, headers, 0, random, &assignment);
  EXPECT_NE(assignment.decision.id, id);
}

TEST(AssignTest, ARequestWithoutItsUnitIsItsOwn) {
  std::mt19937_64 random(5);
  Assignment assignment;
  const http2::Header empty[] = {{"x-user", ""}};
  for (const http2::Headers headers :
       {http2::Headers(), http2::Headers(empty)}) {
    std::vector<int> counts(3);
    for (int i = 0; i < 1000; ++i) {
      Assign(WithUnit(), FakeModel(), kAll, headers, 0, random, &assignment);
      EXPECT_EQ(assignment.decision.unit, assignment.decision.id);
      ++counts[assignment.decision.arm];
    }
    EXPECT_GT(*std::min_element(counts.begin(), counts.end()), 50);
  }
}

// 1 / 3 is no float: both must see the same rounding of it.
TEST(AssignTest, TheDecisionHoldsTheFloatsThatTheModelSaw) {
  std::mt19937_64 random(6);
  const FakeModel model;
  Assignment assignment;
  const http2::Header headers[] = {{"x-n", "1"}};
  Assign(WithContext(), model, kAll, headers, 0, random, &assignment);
  EXPECT_THAT(model.seen, ElementsAre(1.0F, 1.0F / 3.0F));
  EXPECT_THAT(assignment.decision.features, ElementsAre(1.0F, 1.0F / 3.0F));
  EXPECT_EQ(assignment.missing_features, 0);

  Assign(WithContext(), model, kAll, {}, 0, random, &assignment);
  EXPECT_EQ(assignment.missing_features, 1);
}

// An Assignment is used again and again; nothing of the last may stay.
TEST(AssignTest, NothingStaysFromTheLastDecision) {
  std::mt19937_64 random(7);
  Assignment used, fresh;
  Assign(WithContext(), FakeModel(), kAll, {}, 9, random, &used);
  std::mt19937_64 copy = random;
  Assign(Ranker(), FakeModel(), kAll, {}, 3, random, &used);
  Assign(Ranker(), FakeModel(), kAll, {}, 3, copy, &fresh);
  EXPECT_EQ(used.decision, fresh.decision);
  EXPECT_EQ(used.missing_features, fresh.missing_features);
}

// With arm a down, b and c serve all requests: those drawn for them and those
// that fall back. Both at the recorded propensity, for units and for requests
// that are their own (5 standard deviations: 6e-7).
TEST(ReassignTest, ThePropensityIsTheProbabilityOfServing) {
  constexpr int kRounds = 100'000;
  for (const Experiment& experiment : {Ranker(), WithUnit()}) {
    std::mt19937_64 random(6);
    Assignment assignment;
    std::vector<int> served(3);
    for (int i = 0; i < kRounds; ++i) {
      const std::string unit = fmt::format("user-{}", i);
      const http2::Header headers[] = {{"x-user", unit}};
      Assign(experiment, FakeModel(), kAll, headers, 0, random, &assignment);
      if (assignment.decision.arm == 0) {
        const uint64_t id = assignment.decision.id;
        ASSERT_TRUE(
            Reassign(experiment, FakeModel(), kAll, random, &assignment));
        ASSERT_NE(assignment.decision.arm, 0);
        EXPECT_EQ(assignment.decision.id, id);
        EXPECT_NEAR(assignment.decision.propensity,
                    assignment.decision.arm == 1 ? 0.75 : 0.25, 1e-12);
      }
      ++served[assignment.decision.arm];
    }
    EXPECT_EQ(served[0], 0);
    EXPECT_NEAR(served[1], 0.75 * kRounds,
                5 * std::sqrt(kRounds * 0.75 * 0.25));
  }
}

// As if the arm had not been there from the beginning.
TEST(ReassignTest, AUnitGetsTheArmThatItWouldHaveWithoutTheOneThatFailed) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 1000; ++i) {
    const std::string unit = fmt::format("user-{}", i);
    const http2::Header headers[] = {{"x-user", unit}};
    Assignment moved, without;
    Assign(WithUnit(), FakeModel(), kAll, headers, 0, random, &moved);
    if (moved.decision.arm != 0) continue;
    ASSERT_TRUE(Reassign(WithUnit(), FakeModel(), kAll, random, &moved));
    Assign(WithUnit(), FakeModel(), 0b110, headers, 0, random, &without);
    EXPECT_EQ(moved.decision.arm, without.decision.arm);
    EXPECT_NEAR(moved.decision.propensity, without.decision.propensity, 1e-12);
  }
}

TEST(ReassignTest, WhereTheRestHadNothingTheModelIsAsked) {
  std::mt19937_64 random(8);
  Assignment assignment;
  Assign(Ranker(), FakeModel(), 0b001, {}, 0, random, &assignment);
  ASSERT_EQ(assignment.decision.propensity, 1);
  // b and c had no probability: 0.3 and 0.1 by their weights.
  ASSERT_TRUE(Reassign(Ranker(), FakeModel(), kAll, random, &assignment));
  EXPECT_NEAR(assignment.decision.propensity,
              assignment.decision.arm == 1 ? 0.75 : 0.25, 1e-12);
}

TEST(ReassignTest, WithoutAnotherArmNothingChanges) {
  std::mt19937_64 random(9), same(9);
  Assignment assignment;
  Assign(Ranker(), FakeModel(), 0b010, {}, 0, random, &assignment);
  const Decision before = assignment.decision;
  same.discard(2);
  EXPECT_FALSE(Reassign(Ranker(), FakeModel(), 0b010, random, &assignment));
  EXPECT_FALSE(Reassign(Ranker(), FakeModel(), 0, random, &assignment));
  EXPECT_EQ(assignment.decision, before);
  EXPECT_EQ(random, same);
}

}  // namespace
}  // namespace bandit::experiment
