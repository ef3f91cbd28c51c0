// SPDX-License-Identifier: Apache-2.0
// What every policy promises, for every policy in the registry.
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/policies/arm_sums.h"

namespace bandit::policies {
namespace {

using ::testing::DoubleNear;
using ::testing::Pointwise;

constexpr size_t kDimension = 5;

class PolicyContractTest : public testing::TestWithParam<const PolicyInfo*> {
 protected:
  std::unique_ptr<const Policy> Make(size_t arms, RewardKind kind,
                                     double floor = 0) {
    Problem problem;
    problem.arms = arms;
    problem.reward = kind;
    problem.dimension = kDimension;
    problem.floor = floor;
    auto policy = MakePolicy(GetParam()->name, problem, {});
    EXPECT_TRUE(policy.ok()) << policy.status();
    return *std::move(policy);
  }

  // Whether the policy reads rewards at all.
  bool learns() const { return GetParam()->name != "fixed_split"; }
};

std::vector<float> Context(std::mt19937_64& random) {
  std::vector<float> x(kDimension, 1);
  for (size_t i = 1; i < kDimension; ++i) {
    x[i] = std::normal_distribution<float>()(random);
  }
  return x;
}

// Arms with very different numbers of decisions, some with none.
ArmSums RandomSums(size_t arms, RewardKind kind, double scale,
                   std::mt19937_64& random) {
  ArmSums sums(arms, kDimension);
  for (size_t arm = 0; arm < arms; ++arm) {
    const int n = (1 << (random() % 9)) - 1;
    const double mean = std::uniform_real_distribution<>(0.1, 0.9)(random);
    for (int i = 0; i < n; ++i) {
      const double reward =
          kind == RewardKind::kBinary
              ? std::bernoulli_distribution(mean)(random)
              : scale * std::normal_distribution<>(mean, 0.3)(random);
      sums.Observe(arm, reward, Context(random), 0.5);
    }
  }
  return sums;
}

void ExpectDistribution(absl::Span<const double> p, ArmSet eligible,
                        double floor, const std::string& where) {
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    if (Contains(eligible, i)) {
      EXPECT_GE(p[i], floor) << where;
    } else {
      EXPECT_EQ(p[i], 0) << where;
    }
    sum += p[i];
  }
  const bool any = (eligible & AllArms(p.size())) != 0;
  EXPECT_NEAR(sum, any ? 1 : 0, 1e-12) << where;
}

TEST_P(PolicyContractTest, ProbabilitiesAreADistributionOverTheEligible) {
  std::mt19937_64 random(1);
  for (RewardKind kind : {RewardKind::kBinary, RewardKind::kContinuous}) {
    for (size_t arms : {1, 2, 3, 8, 64}) {
      for (double floor : {0.0, 0.5 / static_cast<double>(arms),
                           1.0 / static_cast<double>(arms)}) {
        const auto policy = Make(arms, kind, floor);
        const ArmSums sums = RandomSums(arms, kind, 1, random);
        const auto view = sums.view();
        const auto model =
            policy->Prepare({.arms = view, .previous = nullptr, .fresh = {}})
                .value();
        for (int i = 0; i < 20; ++i) {
          const ArmSet eligible = i == 0   ? AllArms(arms)
                                  : i == 1 ? 0
                                           : random() & AllArms(arms);
          std::vector<double> p(arms, -1);
          model->Probabilities(Context(random), eligible, absl::MakeSpan(p));
          ExpectDistribution(p, eligible, floor,
                             fmt::format("{} arms, floor {}, eligible {:x}",
                                         arms, floor, eligible));
        }
      }
    }
  }
}

TEST_P(PolicyContractTest, WithoutDataArmsAreEqual) {
  std::mt19937_64 random(2);
  for (RewardKind kind : {RewardKind::kBinary, RewardKind::kContinuous}) {
    for (size_t arms : {1, 4, 64}) {
      EXPECT_THAT(Distribution(*Make(arms, kind), ArmSums(arms, kDimension),
                               AllArms(arms), Context(random)),
                  Pointwise(DoubleNear(1e-9),
                            std::vector<double>(
                                arms, 1.0 / static_cast<double>(arms))));
    }
  }
}

TEST_P(PolicyContractTest, TheSameStatisticsGiveTheSameBits) {
  std::mt19937_64 random(3);
  for (RewardKind kind : {RewardKind::kBinary, RewardKind::kContinuous}) {
    const ArmSums sums = RandomSums(6, kind, 1, random);
    const std::vector<float> x = Context(random);
    const auto policy = Make(6, kind);
    const std::vector<double> p = Distribution(*policy, sums, 0b111011, x);
    EXPECT_EQ(Distribution(*policy, sums, 0b111011, x), p);
    EXPECT_EQ(Distribution(*Make(6, kind), sums, 0b111011, x), p);
  }
}

TEST_P(PolicyContractTest, PreparedFromMergedEqualsMergedThenPrepared) {
  std::mt19937_64 random(4);
  for (RewardKind kind : {RewardKind::kBinary, RewardKind::kContinuous}) {
    const auto policy = Make(5, kind);
    for (int round = 0; round < 20; ++round) {
      // Three workers' observations, merged, against one ledger's.
      ArmSums merged(5, kDimension), whole(5, kDimension);
      for (int worker = 0; worker < 3; ++worker) {
        ArmSums part(5, kDimension);
        for (int i = 0; i < 40; ++i) {
          const size_t arm = random() % 5;
          const double reward = static_cast<double>(random() % 2);
          const std::vector<float> x = Context(random);
          part.Observe(arm, reward, x, 0.2);
          whole.Observe(arm, reward, x, 0.2);
        }
        merged.Merge(part);
      }
      const std::vector<float> x = Context(random);
      EXPECT_THAT(Distribution(*policy, merged, ~ArmSet{0}, x),
                  Pointwise(DoubleNear(1e-9),
                            Distribution(*policy, whole, ~ArmSet{0}, x)));
    }
  }
}

TEST_P(PolicyContractTest, TheDrawnRateMatchesThePropensity) {
  std::mt19937_64 random(5);
  const ArmSums sums = RandomSums(4, RewardKind::kBinary, 1, random);
  const std::vector<double> p = Distribution(
      *Make(4, RewardKind::kBinary, 0.05), sums, 0b1111, Context(random));
  constexpr int kDraws = 100000;
  std::vector<int> drawn(4);
  for (int i = 0; i < kDraws; ++i) {
    // Inverse distribution function, as the router draws.
    double u = std::uniform_real_distribution<>()(random);
    size_t arm = 0;
    while (arm < 3 && u >= p[arm]) u -= p[arm++];
    ++drawn[arm];
  }
  for (size_t i = 0; i < 4; ++i) {
    // Five binomial standard deviations: 6e-7 by chance.
    EXPECT_NEAR(drawn[i], kDraws * p[i],
                5 * std::sqrt(kDraws * p[i] * (1 - p[i])))
        << i;
  }
}

TEST_P(PolicyContractTest, TheFloorIsMixedInExactly) {
  std::mt19937_64 random(6);
  const ArmSums sums = RandomSums(4, RewardKind::kBinary, 1, random);
  const std::vector<float> x = Context(random);
  const std::vector<double> bare =
      Distribution(*Make(4, RewardKind::kBinary), sums, 0b1101, x);
  const std::vector<double> floored =
      Distribution(*Make(4, RewardKind::kBinary, 0.1), sums, 0b1101, x);
  for (size_t i : {0, 2, 3}) {
    EXPECT_NEAR(floored[i], 0.1 + (1 - 3 * 0.1) * bare[i], 1e-12);
  }
}

// The best arm by a wide margin after many decisions has the most probability,
// wherever zero lies (rlclientlib's maximum started at FLT_MIN) and whatever
// the unit.
TEST_P(PolicyContractTest, TheBestArmLeadsWhateverOriginAndUnit) {
  if (!learns()) GTEST_SKIP() << "does not read rewards";
  std::mt19937_64 random(7);
  for (double scale : {1e-9, 1e-3, 1.0, 1e3, 1e9}) {
    for (double origin : {-20.0, -1.0, 0.0, 20.0}) {
      ArmSums sums(3, kDimension, scale * origin);
      for (int i = 0; i < 600; ++i) {
        const double noise = std::normal_distribution<>(0, 0.1)(random);
        const double level[] = {1, 3, 2};
        // No context but the intercept: a linear model sees the means.
        const float x[kDimension] = {1};
        sums.Observe(i % 3, scale * (origin + level[i % 3] + noise), x);
      }
      const float x[kDimension] = {1};
      const std::vector<double> p =
          Distribution(*Make(3, RewardKind::kContinuous), sums, 0b111, x);
      EXPECT_GT(p[1], 0.9) << scale << " " << origin;
      ExpectDistribution(p, 0b111, 0, fmt::format("{} {}", scale, origin));
    }
  }
}

// Seldon's routers take int(reward * n): there 0.9 a decision is a failure.
TEST_P(PolicyContractTest, FractionalRewardsCount) {
  if (!learns()) GTEST_SKIP() << "does not read rewards";
  const float x[kDimension] = {1};
  ArmSums sums(2, kDimension);
  for (int i = 0; i < 2000; ++i) {
    sums.Observe(0, 0.3, x);
    sums.Observe(1, 0.9, x);
  }
  EXPECT_GT(Distribution(*Make(2, RewardKind::kBinary), sums, 0b11, x)[1], 0.9);
}

TEST_P(PolicyContractTest, ConstantRewardsFavourNoArm) {
  std::mt19937_64 random(8);
  for (double value : {-5.0, 0.0, 1.0, 1e12}) {
    const float x[kDimension] = {1};
    ArmSums sums(3, kDimension);
    for (int i = 0; i < 300; ++i) sums.Observe(i % 3, value, x);
    EXPECT_THAT(Distribution(*Make(3, RewardKind::kContinuous), sums, 0b111, x),
                Pointwise(DoubleNear(1e-6), {1.0 / 3, 1.0 / 3, 1.0 / 3}))
        << value;
  }
}

TEST_P(PolicyContractTest, ExtremeStatisticsStillGiveADistribution) {
  std::mt19937_64 random(9);
  for (double scale : {1e-150, 1e-30, 1e30, 1e70}) {
    for (double count : {1e-6, 1.5, 1e6, 1e18}) {
      ArmSums sums(4, kDimension);
      sums.ObserveMany(0, count, 0.5 * scale, count * scale * scale);
      sums.ObserveMany(1, 2, -scale, scale * scale);
      sums.ObserveMany(2, count, 0);
      for (RewardKind kind : {RewardKind::kBinary, RewardKind::kContinuous}) {
        ExpectDistribution(
            Distribution(*Make(4, kind, 0.01), sums, 0b1111, Context(random)),
            0b1111, 0.01, fmt::format("{} {}", scale, count));
      }
    }
  }
}

TEST_P(PolicyContractTest, StatisticsThatAreNotFiniteAreRefused) {
  if (!learns()) GTEST_SKIP() << "does not read statistics";
  for (double bad : {std::numeric_limits<double>::quiet_NaN(),
                     std::numeric_limits<double>::infinity()}) {
    for (size_t at : {StatisticsLayout::kCount, StatisticsLayout::kSum,
                      StatisticsLayout::kSquares}) {
      ArmSums sums(2, kDimension);
      sums.vector(1)[at] = bad;
      const auto view = sums.view();
      EXPECT_EQ(Make(2, RewardKind::kBinary)
                    ->Prepare({.arms = view, .previous = nullptr, .fresh = {}})
                    .status()
                    .code(),
                absl::StatusCode::kInvalidArgument);
    }
  }
}

TEST_P(PolicyContractTest, EveryParameterCanBeSetToItsEnds) {
  std::mt19937_64 random(10);
  const ArmSums sums = RandomSums(3, RewardKind::kBinary, 1, random);
  for (const Parameter& parameter : GetParam()->parameters) {
    for (double value : {parameter.min, parameter.max}) {
      for (RewardKind kind : {RewardKind::kBinary, RewardKind::kContinuous}) {
        Problem problem;
        problem.arms = 3;
        problem.reward = kind;
        problem.dimension = kDimension;
        const auto policy = MakePolicy(GetParam()->name, problem,
                                       {{std::string(parameter.name), value}});
        ASSERT_TRUE(policy.ok()) << policy.status();
        ExpectDistribution(Distribution(**policy, sums, 0b111, Context(random)),
                           0b111, 0,
                           fmt::format("{} = {}", parameter.name, value));
      }
    }
  }
}

// The model outlives the statistics and the policy that it was made from.
TEST_P(PolicyContractTest, AModelStandsAlone) {
  std::mt19937_64 random(11);
  const std::vector<float> x = Context(random);
  std::shared_ptr<const Model> model;
  std::vector<double> expected;
  {
    const auto policy = Make(3, RewardKind::kBinary);
    const ArmSums sums = RandomSums(3, RewardKind::kBinary, 1, random);
    expected = Distribution(*policy, sums, 0b111, x);
    const auto view = sums.view();
    model = policy->Prepare({.arms = view, .previous = nullptr, .fresh = {}})
                .value();
  }
  std::vector<double> p(3);
  model->Probabilities(x, 0b111, absl::MakeSpan(p));
  EXPECT_EQ(p, expected);
}

INSTANTIATE_TEST_SUITE_P(Registry, PolicyContractTest,
                         testing::ValuesIn(AllPolicies()),
                         [](const auto& info) {
                           return std::string(info.param->name);
                         });

}  // namespace
}  // namespace bandit::policies
