// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/entry.h"

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace bandit::experiment {
namespace {

Experiment Ranker() {
  Experiment e;
  e.name = "ranker";
  e.salt = "ranker";
  e.unit_key = "x-user";
  e.arms = {{.name = "control", .backend = 0, .model = {}},
            {.name = "candidate", .backend = 1, .model = {}}};
  return e;
}

// In a plan without layers.
std::optional<Uncounted> Why(const Experiment& e, const Exposure& exposure,
                             const std::vector<http2::Header>& headers,
                             std::mt19937_64& random) {
  const Plan plan;
  Places places;
  return WhyUncounted(plan, e, exposure, headers, places, random);
}

std::vector<http2::Header> Of(const std::string& user) {
  return {{":path", "/s/m"}, {"x-user", user}};
}

// The vectors are a second implementation's; see docs/hashing.md.
TEST(PlaceTest, AgreesWithTheGoldenVectors) {
  const auto vectors =
      nlohmann::json::parse(std::ifstream(BANDIT_VECTORS)).at("place");
  ASSERT_FALSE(vectors.empty());
  for (const auto& v : vectors) {
    EXPECT_EQ(PlaceOf(static_cast<Purpose>(v.at("purpose").get<int>()),
                      v.at("salt").get<std::string>(),
                      v.at("unit").get<std::string>()),
              v.at("place").get<double>())
        << v;
  }
}

TEST(WhyUncountedTest, NothingKeepsARequestOutOfOneThatRuns) {
  std::mt19937_64 random(1), untouched(1);
  EXPECT_EQ(Why(Ranker(), {}, Of("ann"), random), std::nullopt);
  // So that a plan without any of it draws as before.
  EXPECT_EQ(random, untouched);
}

TEST(WhyUncountedTest, AStateOtherThanRunningIsTheReason) {
  std::mt19937_64 random(1);
  const std::pair<State, Uncounted> cases[] = {
      {State::kDraft, Uncounted::kDraft},
      {State::kPaused, Uncounted::kPaused},
      {State::kRolledBack, Uncounted::kRolledBack},
      {State::kConcluded, Uncounted::kConcluded}};
  for (const auto& [state, why] : cases) {
    EXPECT_EQ(Why(Ranker(), {.state = state}, Of("ann"), random), why);
    EXPECT_EQ(Name(why), Name(state));
  }
}

// 4 standard errors of a binomial share.
double Tolerance(double p, int n) { return 4 * std::sqrt(p * (1 - p) / n); }

TEST(WhyUncountedTest, ARampLetsInItsShareAndKeepsWhomItLetIn) {
  std::mt19937_64 random(7), untouched(7);
  constexpr int kUnits = 20'000;
  int before = 0;
  std::vector<bool> in(kUnits);
  for (const double share : {0.05, 0.2, 0.5, 0.9}) {
    int count = 0;
    for (int i = 0; i < kUnits; ++i) {
      const bool now = !Why(Ranker(), {.share = share},
                            Of("user-" + std::to_string(i)), random);
      EXPECT_TRUE(now || !in[i]) << i;
      in[i] = now;
      count += now;
    }
    EXPECT_NEAR(count / double{kUnits}, share, Tolerance(share, kUnits));
    EXPECT_GT(count, before);
    before = count;
  }
  EXPECT_EQ(random, untouched);
}

TEST(WhyUncountedTest, ARequestWithoutItsUnitIsLetInByChance) {
  std::mt19937_64 random(7);
  constexpr int kRequests = 20'000;
  int count = 0;
  for (int i = 0; i < kRequests; ++i) {
    count += !Why(Ranker(), {.share = 0.2}, Of(""), random);
  }
  EXPECT_NEAR(count / double{kRequests}, 0.2, Tolerance(0.2, kRequests));
}

// Who is let in first is no other sort of unit than who comes later.
TEST(WhyUncountedTest, ARampIsIndependentOfTheDraw) {
  const Experiment e = Ranker();
  std::mt19937_64 random(7);
  constexpr int kUnits = 20'000;
  int in = 0, candidate = 0;
  for (int i = 0; i < kUnits; ++i) {
    const std::string user = "user-" + std::to_string(i);
    if (Why(e, {.share = 0.3}, Of(user), random)) continue;
    ++in;
    candidate += DrawSticky(e.arms, {0.5, 0.5},
                            HashUnit(Purpose::kArm, e.salt, user)) == 1;
  }
  EXPECT_NEAR(candidate / double(in), 0.5, Tolerance(0.5, in));
}

class LayersTest : public ::testing::Test {
 protected:
  LayersTest() {
    plan_.layers = {{.unit_key = "x-user", .salt = "ranking", .holdout = 0},
                    {.unit_key = "x-user", .salt = "prompts", .holdout = 0}};
    one_.layer = {.layer = 0, .from = 0, .to = 0.5};
    two_.layer = {.layer = 0, .from = 0.5, .to = 0.8};
    two_.salt = "two";
  }

  bool In(const Experiment& e, const std::string& user) {
    Places places;
    return !WhyUncounted(plan_, e, {}, Of(user), places, random_).has_value();
  }

  static constexpr int kUnits = 20'000;
  Plan plan_;
  Experiment one_ = Ranker(), two_ = Ranker();
  std::mt19937_64 random_{7};
};

TEST_F(LayersTest, ExperimentsOfOneLayerTakeDisjointShares) {
  int one = 0, two = 0, both = 0;
  for (int i = 0; i < kUnits; ++i) {
    const std::string user = "user-" + std::to_string(i);
    const bool in_one = In(one_, user), in_two = In(two_, user);
    one += in_one;
    two += in_two;
    both += in_one && in_two;
  }
  EXPECT_EQ(both, 0);
  EXPECT_NEAR(one / double{kUnits}, 0.5, Tolerance(0.5, kUnits));
  EXPECT_NEAR(two / double{kUnits}, 0.3, Tolerance(0.3, kUnits));
}

TEST_F(LayersTest, LayersAreIndependentOfEachOtherAndOfTheDraw) {
  Experiment other = Ranker();
  other.layer = {.layer = 1, .from = 0, .to = 0.5};
  int in = 0, both = 0, candidate = 0;
  for (int i = 0; i < kUnits; ++i) {
    const std::string user = "user-" + std::to_string(i);
    if (!In(one_, user)) continue;
    ++in;
    both += In(other, user);
    candidate += DrawSticky(one_.arms, {0.5, 0.5},
                            HashUnit(Purpose::kArm, one_.salt, user)) == 1;
  }
  EXPECT_NEAR(both / double(in), 0.5, Tolerance(0.5, in));
  EXPECT_NEAR(candidate / double(in), 0.5, Tolerance(0.5, in));
}

TEST_F(LayersTest, TheReasonIsTheLayerOrTheHoldout) {
  plan_.layers[0].holdout = 0.25;
  Places places;
  int held = 0, beside = 0;
  for (int i = 0; i < kUnits; ++i) {
    places.Reset();
    const auto why = WhyUncounted(
        plan_, one_, {}, Of("user-" + std::to_string(i)), places, random_);
    held += why == Uncounted::kHoldout;
    beside += why == Uncounted::kLayer;
  }
  EXPECT_NEAR(held / double{kUnits}, 0.25, Tolerance(0.25, kUnits));
  EXPECT_NEAR(beside / double{kUnits}, 0.375, Tolerance(0.375, kUnits));
}

// Whoever is held out of all experiments is so in each.
TEST_F(LayersTest, TheGlobalHoldoutIsTheSameUnitsEverywhere) {
  plan_.holdout = {.unit_key = "x-user", .salt = "holdout", .holdout = 0.1};
  Experiment free = Ranker();
  int held = 0;
  for (int i = 0; i < kUnits; ++i) {
    const std::string user = "user-" + std::to_string(i);  // Borrowed.
    const auto headers = Of(user);
    Places places, again;
    const bool out = WhyUncounted(plan_, free, {}, headers, places, random_) ==
                     Uncounted::kHoldout;
    EXPECT_EQ(WhyUncounted(plan_, one_, {}, headers, again, random_) ==
                  Uncounted::kHoldout,
              out);
    held += out;
  }
  EXPECT_NEAR(held / double{kUnits}, 0.1, Tolerance(0.1, kUnits));
}

// It asks twice where the model name must be awaited, and of each experiment.
TEST_F(LayersTest, ARequestWithoutItsUnitHasOnePlaceHoweverOftenItIsAsked) {
  int one = 0;
  for (int i = 0; i < kUnits; ++i) {
    Places places;
    const bool first = TakesUnit(plan_, one_, Of(""), places, random_);
    EXPECT_EQ(TakesUnit(plan_, one_, Of(""), places, random_), first);
    EXPECT_FALSE(first && TakesUnit(plan_, two_, Of(""), places, random_));
    one += first;
  }
  EXPECT_NEAR(one / double{kUnits}, 0.5, Tolerance(0.5, kUnits));
}

}  // namespace
}  // namespace bandit::experiment
