// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/caps.h"

#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "router/experiment/assignment.h"

namespace bandit::experiment {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

std::vector<double> Capped(policies::ArmSet arms, std::vector<double> caps,
                           std::vector<double> p) {
  ApplyCaps({arms, caps}, absl::MakeSpan(p));
  return p;
}

TEST(ApplyCapsTest, WithoutCapsNothingChanges) {
  EXPECT_THAT(Capped(0b111, {}, {0.5, 0.3, 0.2}), ElementsAre(0.5, 0.3, 0.2));
}

TEST(ApplyCapsTest, WhatIsCutGoesToTheOthersInProportion) {
  EXPECT_THAT(Capped(0b111, {1, 0.05, 1}, {0.3, 0.6, 0.1}),
              Pointwise(DoubleNear(1e-12), {0.7125, 0.05, 0.2375}));
}

// A cap is no floor.
TEST(ApplyCapsTest, AnArmBelowItsCapKeepsWhatItHas) {
  EXPECT_THAT(Capped(0b111, {1, 0.05, 1}, {0.9, 0.02, 0.08}),
              ElementsAre(0.9, 0.02, 0.08));
}

// A policy that gives the arm all: the others share evenly.
TEST(ApplyCapsTest, ArmsThatHadNothingShareEvenly) {
  EXPECT_THAT(Capped(0b111, {1, 0.1, 1}, {0, 1, 0}),
              Pointwise(DoubleNear(1e-12), {0.45, 0.1, 0.45}));
}

TEST(ApplyCapsTest, NothingGoesToArmsThatAreNotEligible) {
  EXPECT_THAT(Capped(0b011, {1, 0.1, 1}, {0, 1, 0}),
              Pointwise(DoubleNear(1e-12), {0.9, 0.1, 0.0}));
}

// Someone has to serve.
TEST(ApplyCapsTest, WhereAllAreCappedNoneIs) {
  EXPECT_THAT(Capped(0b010, {1, 0.1, 1}, {0, 1, 0}), ElementsAre(0, 1, 0));
  EXPECT_THAT(Capped(0b110, {1, 0.1, 0.1}, {0, 0.5, 0.5}),
              ElementsAre(0, 0.5, 0.5));
}

TEST(ApplyCapsTest, KeepsADistributionWhateverComes) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<> uniform;
  for (int run = 0; run < 2000; ++run) {
    std::vector<double> p(5);
    std::vector<double> caps(5, 1);
    policies::ArmSet arms = 0;
    double sum = 0;
    bool uncapped = false;
    for (size_t i = 0; i < p.size(); ++i) {
      if (uniform(random) < 0.3) continue;
      arms |= policies::ArmSet{1} << i;
      p[i] = uniform(random) < 0.3 ? 0 : uniform(random);
      sum += p[i];
      if (uniform(random) < 0.5) caps[i] = uniform(random);
      uncapped |= caps[i] == 1;
    }
    if (sum == 0) continue;
    for (double& one : p) one /= sum;
    const std::vector<double> out = Capped(arms, caps, p);
    EXPECT_NEAR(std::accumulate(out.begin(), out.end(), 0.0), 1, 1e-12);
    for (size_t i = 0; i < p.size(); ++i) {
      EXPECT_GE(out[i], 0);
      if (!policies::Contains(arms, i)) EXPECT_EQ(out[i], 0);
      if (uncapped && caps[i] < 1) EXPECT_LE(out[i], caps[i]);
    }
  }
}

class EvenModel : public policies::Model {
 public:
  EvenModel() : Model(/*floor=*/0) {}

 private:
  void Weights(absl::Span<const float>, policies::ArmSet eligible,
               absl::Span<double> w) const override {
    for (size_t i = 0; i < w.size(); ++i) {
      w[i] = policies::Contains(eligible, i) ? 1 : 0;
    }
  }
};

Experiment ThreeArms() {
  Experiment experiment;
  experiment.name = experiment.salt = "ranker";
  experiment.unit_key = "x-user";
  for (const char* name : {"a", "b", "c"}) {
    experiment.arms.push_back({.name = name, .backend = 0, .model = {}});
  }
  return experiment;
}

// The logged propensity is what the arm was drawn with, of units and of single
// requests. 30,000 draws: a share's standard error is 0.0029 at most.
TEST(AssignTest, CapsAreInThePropensity) {
  const Experiment experiment = ThreeArms();
  const std::vector<double> caps = {1, 0.1, 1};
  std::mt19937_64 random(5);
  for (const bool sticky : {false, true}) {
    std::map<uint32_t, int> counts;
    constexpr int kDraws = 30'000;
    for (int i = 0; i < kDraws; ++i) {
      const std::string user = sticky ? std::to_string(i) : "";
      const http2::Header header{"x-user", user};
      Assignment assignment;
      Assign(experiment, EvenModel(), {0b111, caps}, {&header, 1}, 0, random,
             &assignment);
      const Decision& decision = assignment.decision;
      EXPECT_NEAR(decision.propensity, decision.arm == 1 ? 0.1 : 0.45, 1e-12);
      ++counts[decision.arm];
    }
    EXPECT_NEAR(counts[1], 0.1 * kDraws, 4 * std::sqrt(0.09 * kDraws));
    EXPECT_NEAR(counts[0], 0.45 * kDraws, 4 * std::sqrt(0.25 * kDraws));
  }
}

// Of two that are left the capped one does not take over.
TEST(ReassignTest, KeepsToTheCaps) {
  const Experiment experiment = ThreeArms();
  const std::vector<double> caps = {1, 0.1, 1};
  std::mt19937_64 random(5);
  int seen = 0;
  for (int i = 0; i < 200; ++i) {
    Assignment assignment;
    Assign(experiment, EvenModel(), {0b111, caps}, {}, 0, random, &assignment);
    if (assignment.decision.arm != 0) continue;
    ++seen;
    ASSERT_TRUE(
        Reassign(experiment, EvenModel(), {0b111, caps}, random, &assignment));
    EXPECT_NEAR(assignment.decision.propensity,
                assignment.decision.arm == 1 ? 0.1 : 0.9, 1e-12);
  }
  EXPECT_GT(seen, 20);
}

}  // namespace
}  // namespace bandit::experiment
