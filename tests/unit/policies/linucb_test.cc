// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "policies/linear_model.h"
#include "tests/unit/policies/arm_sums.h"

namespace bandit::policies {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

std::unique_ptr<const Policy> Make(
    size_t arms, size_t dimension,
    const std::map<std::string, double>& parameters = {},
    RewardKind kind = RewardKind::kBinary) {
  Problem problem;
  problem.arms = arms;
  problem.dimension = dimension;
  problem.reward = kind;
  return MakePolicy("linucb", problem, parameters).value();
}

std::vector<double> Scores(const ArmSums& sums, std::vector<double> x,
                           double alpha) {
  const size_t dimension = x.size();
  const size_t padded = PackedInverse::Padded(dimension);
  x.resize(padded);
  std::vector<double> scores;
  for (const ArmStatistics& statistics : sums.view()) {
    const auto inverse = std::make_shared<PackedInverse>(
        InvertRidge(statistics.gram(), dimension, 1).value());
    std::vector<double> response(padded);
    std::copy_n(statistics.response().begin(), dimension, response.begin());
    LinearArm arm{std::vector<double>(padded), inverse};
    Multiply(*inverse, response, absl::MakeSpan(arm.theta));
    scores.push_back(LinUcbScore(arm, x, alpha));
  }
  return scores;
}

// linucb_disjoint_steps: Li et al. 2010, algorithm 1, by hand; d = 2,
// alpha = lambda = 1.
TEST(LinUcbTest, FollowsThePublishedSteps) {
  struct Step {
    float x[2];
    size_t played;
    double reward;
    double scores_before[2];
  };
  const Step steps[] = {
      {{1, 0}, 0, 1, {1.0, 1.0}},
      {{0, 1}, 1, 0, {1.0, 1.0}},
      {{1, 1}, 0, 0, {1.724744871391589, 1.224744871391589}},
      {{1, 1}, 1, 1, {0.9745966692414834, 1.224744871391589}},
  };
  const auto policy = Make(2, 2);
  ArmSums sums(2, 2);
  for (const Step& step : steps) {
    const std::vector<double> scores = Scores(sums, {step.x[0], step.x[1]}, 1);
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_NEAR(scores[i], step.scores_before[i], 1e-12);
    }
    const std::vector<double> p = Distribution(*policy, sums, 0b11, step.x);
    if (scores[0] == scores[1]) {
      EXPECT_THAT(p, ElementsAre(0.5, 0.5));
    } else {
      EXPECT_EQ(p[step.played], 1);
    }
    sums.Observe(step.played, step.reward, step.x);
  }
  EXPECT_THAT(Scores(sums, {1, 1}, 1),
              ElementsAre(DoubleNear(0.9745966692414834, 1e-12),
                          DoubleNear(1.3745966692414835, 1e-12)));
  // Without the width the scores are theta' x: theta_0 = (.4, -.2).
  EXPECT_THAT(Scores(sums, {1, 0}, 0),
              ElementsAre(DoubleNear(0.4, 1e-12), DoubleNear(0.4, 1e-12)));
  EXPECT_THAT(Scores(sums, {0, 1}, 0),
              ElementsAre(DoubleNear(-0.2, 1e-12), DoubleNear(0.2, 1e-12)));
}

TEST(LinUcbTest, WithoutDataArmsShare) {
  const float x[] = {1, 2};
  EXPECT_THAT(Distribution(*Make(2, 2), ArmSums(2, 2), 0b11, x),
              ElementsAre(0.5, 0.5));
}

TEST(LinUcbTest, TheContextDecides) {
  const auto policy = Make(2, 2, {{"alpha", 0.1}});
  ArmSums sums(2, 2);
  const float left[] = {1, -1};
  const float right[] = {1, 1};
  for (int i = 0; i < 50; ++i) {
    sums.Observe(0, 1, left);
    sums.Observe(0, 0, right);
    sums.Observe(1, 0, left);
    sums.Observe(1, 1, right);
  }
  EXPECT_THAT(Distribution(*policy, sums, 0b11, left), ElementsAre(1, 0));
  EXPECT_THAT(Distribution(*policy, sums, 0b11, right), ElementsAre(0, 1));
  EXPECT_THAT(Distribution(*policy, sums, 0b01, right), ElementsAre(1, 0));
}

// Rewards like a latency: far from zero, in some unit, all negative. With the
// published ridge an arm without data would look best for ever at origin -1000
// and never be tried at +1000.
TEST(LinUcbTest, AContinuousRewardsOriginAndUnitDoNotMatter) {
  std::vector<double> reference;
  for (double unit : {1.0, 1e-6, 1e6}) {
    for (double origin : {0.0, -1000.0, 1000.0}) {
      ArmSums sums(3, 2, origin * unit);
      std::mt19937_64 random(5);
      for (int i = 0; i < 200; ++i) {
        const float z = std::normal_distribution<float>()(random);
        const float x[] = {1, z};
        const double noise = std::normal_distribution<>(0, 0.1)(random);
        const double reward = (i % 2 == 0 ? z : -z) + noise;
        sums.Observe(i % 2, (origin + reward) * unit, x);
      }
      // Nothing is known of arm 2; then it is known to be poor.
      std::vector<double> choices;
      for (int known = 0; known < 2; ++known) {
        const auto policy =
            Make(3, 2, {{"alpha", 0.5}}, RewardKind::kContinuous);
        for (float z : {-2.0f, -0.1f, 0.1f, 2.0f}) {
          const float x[] = {1, z};
          const std::vector<double> p = Distribution(*policy, sums, 0b111, x);
          choices.insert(choices.end(), p.begin(), p.end());
          const size_t expected = known == 0 ? 2 : z > 0 ? 0 : 1;
          EXPECT_EQ(p[expected], 1) << z;
        }
        for (int i = 0; i < 500; ++i) {
          const float x[] = {1, static_cast<float>(i % 5 - 2)};
          sums.Observe(2, (origin - 2) * unit, x);
        }
      }
      if (reference.empty()) reference = choices;
      EXPECT_EQ(choices, reference) << unit << " " << origin;
    }
  }
}

TEST(LinUcbTest, AFeatureThatIsNoNumberGivesTheUniformDistribution) {
  const float x[] = {1, std::numeric_limits<float>::quiet_NaN()};
  ArmSums sums(2, 2);
  const float seen[] = {1, 1};
  sums.Observe(0, 1, seen);
  EXPECT_THAT(Distribution(*Make(2, 2), sums, 0b11, x), ElementsAre(0.5, 0.5));
}

TEST(LinUcbTest, AnImpossibleGramMatrixIsRefusedByArm) {
  ArmSums sums(2, 2);
  sums.vector(1)[StatisticsLayout::kGram] = -5;
  const std::vector<ArmStatistics> view = sums.view();
  const auto model =
      Make(2, 2)->Prepare({.arms = view, .previous = nullptr, .fresh = {}});
  EXPECT_EQ(model.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(model.status().message()),
              testing::HasSubstr("arm 1"));
}

// A learner at work: batches of different sizes, some arms without any.
class IncrementalTest : public testing::Test {
 protected:
  static constexpr size_t kArms = 3;
  static constexpr size_t kDimension = 12;

  IncrementalTest() { storage_.reserve(10000); }

  // Adds `n` observations of random arms among the first `arms`.
  void Observe(size_t n, size_t arms = kArms) {
    fresh_.clear();
    for (size_t k = 0; k < n; ++k) {
      std::vector<float> x(kDimension, 1);
      for (size_t i = 1; i < kDimension; ++i) {
        x[i] = std::normal_distribution<float>()(random_);
      }
      storage_.push_back(x);
      const size_t arm = random_() % arms;
      const double reward = x[1 + arm] + 0.1 * x[5];
      sums_.Observe(arm, reward, storage_.back());
      fresh_.push_back(
          {arm,
           {.reward = reward, .propensity = 1, .features = storage_.back()}});
    }
  }

  std::shared_ptr<const Model> Prepare(const Model* previous) {
    const std::vector<ArmStatistics> view = sums_.view();
    return policy_
        ->Prepare({.arms = view, .previous = previous, .fresh = fresh_})
        .value();
  }

  // Whether both models agree on the arm for many contexts. With alpha = 1 and
  // random contexts a wrong inverse would not.
  void ExpectEqual(const Model& a, const Model& b) {
    for (int k = 0; k < 200; ++k) {
      std::vector<float> x(kDimension, 1);
      for (size_t i = 1; i < kDimension; ++i) {
        x[i] = std::normal_distribution<float>()(random_);
      }
      std::vector<double> p(kArms), q(kArms);
      a.Probabilities(x, AllArms(kArms), absl::MakeSpan(p));
      b.Probabilities(x, AllArms(kArms), absl::MakeSpan(q));
      ASSERT_EQ(p, q);
    }
  }

  std::unique_ptr<const Policy> policy_ =
      Make(kArms, kDimension, {}, RewardKind::kContinuous);
  ArmSums sums_{kArms, kDimension};
  std::vector<std::vector<float>> storage_;
  std::vector<NewObservation> fresh_;
  std::mt19937_64 random_{17};
};

TEST_F(IncrementalTest, UpdatingEqualsStartingOver) {
  std::shared_ptr<const Model> model = Prepare(nullptr);
  for (int tick = 0; tick < 400; ++tick) {
    Observe(tick % 9, tick % 5 == 0 ? 1 : kArms);
    model = Prepare(model.get());
    if (tick % 20 == 19) ExpectEqual(*model, *Prepare(nullptr));
  }
}

// The hint is a hint: statistics that it does not account for win.
TEST_F(IncrementalTest, DiscountedOrMergedStatisticsAreNotMissed) {
  Observe(100);
  const std::shared_ptr<const Model> before = Prepare(nullptr);
  for (size_t arm = 0; arm < kArms; ++arm) {
    for (double& v : sums_.vector(arm)) v *= 0.5;
  }
  fresh_.clear();
  ExpectEqual(*Prepare(before.get()), *Prepare(nullptr));
  ArmSums other(kArms, kDimension);
  const std::vector<float> x(kDimension, 0.5);
  for (int i = 0; i < 50; ++i) other.Observe(1, 3, x);
  const std::shared_ptr<const Model> halved = Prepare(nullptr);
  sums_.Merge(other);
  ExpectEqual(*Prepare(halved.get()), *Prepare(nullptr));
}

TEST_F(IncrementalTest, AModelOfAnotherPolicyOrSizeIsNotUsed) {
  Observe(60);
  const std::shared_ptr<const Model> right = Prepare(nullptr);
  Problem problem;
  problem.arms = kArms;
  problem.dimension = kDimension;
  const std::vector<ArmStatistics> view = sums_.view();
  const PrepareInput input{.arms = view, .previous = nullptr, .fresh = {}};
  fresh_.clear();
  for (const auto& other :
       {MakePolicy("ucb1", problem, {}).value()->Prepare(input).value(),
        MakePolicy("linucb", problem, {{"lambda", 50}})
            .value()
            ->Prepare(input)
            .value()}) {
    ExpectEqual(*Prepare(other.get()), *right);
  }
}

}  // namespace
}  // namespace bandit::policies
