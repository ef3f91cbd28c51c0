// SPDX-License-Identifier: Apache-2.0
// The value of a policy that never ran, from the log of another: which
// estimates are unbiased when what they rest on is wrong, and whether their
// intervals cover.
#include <array>
#include <cmath>
#include <cstdio>

#include "gtest/gtest.h"
#include "stats/moments.h"
#include "stats/off_policy.h"
#include "stats/off_policy_sequence.h"
#include "tests/simulation/draws.h"
#include "tests/simulation/environment.h"

namespace bandit::stats {
namespace {

constexpr size_t kContexts = 2;
constexpr size_t kArms = 3;
using Table = std::array<std::array<double, kArms>, kContexts>;

// Success rates by context and arm; the best arm depends on the context, and
// the log prefers the wrong one.
constexpr Table kRates = {{{0.2, 0.5, 0.3}, {0.6, 0.3, 0.1}}};
constexpr Table kLogged = {{{0.6, 0.2, 0.2}, {0.2, 0.5, 0.3}}};
constexpr Table kTarget = {{{0.1, 0.8, 0.1}, {0.7, 0.2, 0.1}}};
constexpr double kFirstContext = 0.4;
// What somebody believed who had not looked at the context.
constexpr Table kWrongRates = {{{0.4, 0.4, 0.2}, {0.4, 0.4, 0.2}}};
constexpr Table kWrongLogged = {{{0.4, 0.3, 0.3}, {0.4, 0.3, 0.3}}};
constexpr Table kNothing = {};

double Expected(const std::array<double, kArms>& shares,
                const std::array<double, kArms>& values) {
  double sum = 0;
  for (size_t i = 0; i < kArms; ++i) sum += shares[i] * values[i];
  return sum;
}

const double kValue = kFirstContext * Expected(kTarget[0], kRates[0]) +
                      (1 - kFirstContext) * Expected(kTarget[1], kRates[1]);

struct Decision {
  size_t context;
  size_t arm;
  double reward;

  explicit Decision(Uniform& uniform)
      : context(uniform() < kFirstContext ? 0 : 1),
        arm(policies::DrawArm(kLogged[context], uniform())),
        reward(uniform() < kRates[context][arm] ? 1 : 0) {}

  double Weight(const Table& logged) const {
    return kTarget[context][arm] / logged[context][arm];
  }
  void AddTo(OffPolicySums& sums, const Table& logged,
             const Table& rates) const {
    sums.Add(Weight(logged), reward, rates[context][arm],
             Expected(kTarget[context], rates[context]));
  }
};

// An estimate over all runs.
struct Record {
  OffPolicySums sums;
  Moments values;
  Share covered;

  void Count(const OffPolicyEstimate& estimate) {
    values.Add(estimate.value);
    covered.Count(std::abs(estimate.value - kValue) <=
                  1.96 * estimate.standard_error);
    sums = {};
  }
  // Standard errors from the truth.
  double Bias(const char* what) const {
    const double error = std::sqrt(values.variance() / values.count);
    const double bias = (values.mean() - kValue) / error;
    std::printf("%-40s mean %.4f of %.4f, %6.1f errors off, covers %.4f\n",
                what, values.mean(), kValue, bias, covered.value());
    return bias;
  }
};

TEST(PolicyValueSimulation, AipwIsRightWhenEitherModelIs) {
  constexpr int kDecisions = 500;
  Record ipw, self, aipw, wrong_rates, wrong_shares, wrong_both, wrong_ipw;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(1000 + run);
    for (int i = 0; i < kDecisions; ++i) {
      const Decision decision(uniform);
      decision.AddTo(ipw.sums, kLogged, kNothing);
      decision.AddTo(aipw.sums, kLogged, kRates);
      decision.AddTo(wrong_rates.sums, kLogged, kWrongRates);
      decision.AddTo(wrong_shares.sums, kWrongLogged, kRates);
      decision.AddTo(wrong_both.sums, kWrongLogged, kWrongRates);
      decision.AddTo(wrong_ipw.sums, kWrongLogged, kNothing);
    }
    self.Count(SelfNormalized(ipw.sums));
    for (Record* record :
         {&ipw, &aipw, &wrong_rates, &wrong_shares, &wrong_both, &wrong_ipw}) {
      record->Count(Augmented(record->sums));
    }
  }
  EXPECT_LT(std::abs(ipw.Bias("IPW")), 4);
  EXPECT_LT(std::abs(aipw.Bias("AIPW")), 4);
  EXPECT_LT(std::abs(wrong_rates.Bias("AIPW, wrong predictions")), 4);
  EXPECT_LT(std::abs(wrong_shares.Bias("AIPW, wrong propensities")), 4);
  // Biased by O(1 / n), where the others' error is O(1 / sqrt(n)).
  self.Bias("SNIPS");
  EXPECT_NEAR(self.values.mean(), kValue, 1.0 / kDecisions);
  // What a right model saves from.
  EXPECT_GT(std::abs(wrong_both.Bias("AIPW, both wrong")), 20);
  EXPECT_GT(std::abs(wrong_ipw.Bias("IPW, wrong propensities")), 20);
  // The standard errors are those of the estimates: within four of the share.
  const double slack = Error(0.05, kRuns);
  EXPECT_NEAR(ipw.covered.value(), 0.95, slack);
  EXPECT_NEAR(self.covered.value(), 0.95, slack);
  EXPECT_NEAR(aipw.covered.value(), 0.95, slack);
  EXPECT_NEAR(wrong_rates.covered.value(), 0.95, slack);
  EXPECT_LT(aipw.values.variance(), 0.8 * ipw.values.variance());
}

TEST(PolicyValueSimulation, TheRobustSequenceHoldsAtEveryLook) {
  constexpr int kLongRuns = 400 / kFewer;
  Share missed;
  double width = 0;
  for (int run = 0; run < kLongRuns; ++run) {
    Uniform uniform(9000 + run);
    OffPolicySequence sequence;
    bool miss = false;
    for (int n = 1; n <= 2000; ++n) {
      const Decision decision(uniform);
      sequence.Add(decision.Weight(kLogged), decision.reward);
      if (n % 20 == 0) miss |= !sequence.Covers(kValue, 0.05);
    }
    missed.Count(miss);
    width += sequence.Bounds(0.05).width() / kLongRuns;
  }
  std::printf("width at the end %.3f\n", width);
  EXPECT_LE(missed.Print("robust sequence of a policy, ever missed"),
            Limit(0.05, kLongRuns));
  EXPECT_LT(width, 0.3);
}

}  // namespace
}  // namespace bandit::stats
