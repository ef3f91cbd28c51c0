// SPDX-License-Identifier: Apache-2.0
// Where the context decides which arm is best, a policy that reads it must beat
// every policy that does not.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/simulation/environment.h"

namespace bandit::policies {
namespace {

constexpr size_t kArms = 4;
// An intercept, two numbers in [-1, 1], three device categories.
constexpr size_t kDimension = 6;
constexpr int kTick = 100;
constexpr int kDecisions = 20000;

struct Request {
  float x[kDimension] = {1};
  double means[kArms];
};

// Clicks: arms 0 and 1 are for large and small prompts, arm 2 for one device,
// arm 3 is the best single arm when one does not look.
Request NextRequest(Uniform& uniform) {
  Request r;
  r.x[1] = static_cast<float>(2 * uniform() - 1);
  r.x[2] = static_cast<float>(2 * uniform() - 1);
  const size_t device = static_cast<size_t>(3 * uniform());
  r.x[3 + device] = 1;
  r.means[0] = 0.4 + 0.4 * r.x[1];
  r.means[1] = 0.4 - 0.4 * r.x[1];
  r.means[2] = device == 2 ? 0.8 : 0.2;
  r.means[3] = 0.45;
  return r;
}

struct Result {
  double reward = 0;  // Mean of the expected rewards.
  double best_fixed = 0;
  double oracle = 0;
};

Result Simulate(const Policy& policy, uint64_t seed) {
  Uniform uniform(seed);
  ArmSums sums(kArms, kDimension);
  std::shared_ptr<const Model> model;
  std::vector<Request> requests(kTick);
  std::vector<NewObservation> fresh;
  Result result;
  double fixed[kArms] = {};
  for (int t = 0; t < kDecisions; t += kTick) {
    const std::vector<ArmStatistics> view = sums.view();
    // As the learner does it, with the model before.
    model =
        policy.Prepare({.arms = view, .previous = model.get(), .fresh = fresh})
            .value();
    fresh.clear();
    for (Request& request : requests) {
      request = NextRequest(uniform);
      std::vector<double> p(kArms);
      model->Probabilities(request.x, AllArms(kArms), absl::MakeSpan(p));
      const size_t arm = DrawArm(p, uniform());
      const Observation o{.reward = uniform() < request.means[arm] ? 1.0 : 0.0,
                          .propensity = p[arm],
                          .features = request.x};
      sums.Observe(arm, o.reward, o.features, o.propensity);
      fresh.push_back({arm, o});
      result.reward += request.means[arm] / kDecisions;
      result.oracle +=
          *std::max_element(request.means, request.means + kArms) / kDecisions;
      for (size_t i = 0; i < kArms; ++i) {
        fixed[i] += request.means[i] / kDecisions;
      }
    }
  }
  result.best_fixed = *std::max_element(fixed, fixed + kArms);
  return result;
}

TEST(ContextSimulation, ContextualPoliciesBeatAllOthers) {
  constexpr int kRuns = 5;
  double best_blind = 0;
  double worst_contextual = 1;
  double oracle = 0;
  double best_fixed = 0;
  for (const PolicyInfo* info : AllPolicies()) {
    Problem problem;
    problem.arms = kArms;
    problem.dimension = kDimension;
    const auto policy = MakePolicy(info->name, problem, {}).value();
    double reward = 0;
    oracle = best_fixed = 0;
    for (int run = 0; run < kRuns; ++run) {
      const Result result = Simulate(*policy, 300 + run);
      reward += result.reward / kRuns;
      oracle += result.oracle / kRuns;
      best_fixed += result.best_fixed / kRuns;
    }
    printf("%-15s %.4f\n", std::string(info->name).c_str(), reward);
    if (info->contextual) {
      worst_contextual = std::min(worst_contextual, reward);
    } else {
      best_blind = std::max(best_blind, reward);
    }
  }
  printf("oracle %.4f, best single arm %.4f\n", oracle, best_fixed);
  // Expected rewards, so the noise is that of the requests alone: at most
  // 0.5 / sqrt(20000 * 5) = 0.0016 for a mean in [0, 1]. A policy without
  // context cannot do better than the best single arm, 0.45.
  EXPECT_LT(best_blind, best_fixed + 0.005);
  // Three quarters of the way to the oracle, learning included.
  EXPECT_GT(worst_contextual, best_fixed + 0.75 * (oracle - best_fixed));
}

}  // namespace
}  // namespace bandit::policies
