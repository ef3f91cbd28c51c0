// SPDX-License-Identifier: Apache-2.0
// epsilon_greedy: with probability epsilon any arm, else the best so far.
//
// An arm without data counts as good as the best one and shares the greedy
// part with it. Going to it alone would hand all traffic to an arm whose
// rewards never come, a broken one above all.
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "policies/argmax.h"
#include "policies/policy.h"

namespace bandit::policies::epsilon_greedy {
namespace {

constexpr Parameter kParameters[] = {
    {.name = "epsilon",
     .default_value = 0.1,
     .min = 0,
     .max = 1,
     .meaning = "Probability of a uniform choice among all arms."},
};

class EpsilonGreedyModel final : public Model {
 public:
  // `means`: infinite for an arm without data.
  EpsilonGreedyModel(std::vector<double> means, double epsilon, double floor)
      : Model(floor), means_(std::move(means)), epsilon_(epsilon) {}

 private:
  void Weights(absl::Span<const float>, ArmSet eligible,
               absl::Span<double> w) const override {
    ArmSet known = 0;
    ArmSet unknown = 0;
    for (size_t i = 0; i < w.size(); ++i) {
      if (!Contains(eligible, i)) continue;
      (means_[i] < kUnknown ? known : unknown) |= ArmSet{1} << i;
    }
    ShareMaximum(means_, known, w);
    double greedy = 0;
    double all = 0;
    for (size_t i = 0; i < w.size(); ++i) {
      if (Contains(unknown, i)) w[i] = 1;
      greedy += w[i];
      all += Contains(eligible, i) ? 1 : 0;
    }
    for (size_t i = 0; i < w.size(); ++i) {
      w[i] = (1 - epsilon_) * w[i] / greedy +
             (Contains(eligible, i) ? epsilon_ / all : 0);
    }
  }

 public:
  static constexpr double kUnknown = std::numeric_limits<double>::infinity();

 private:
  std::vector<double> means_;
  double epsilon_;
};

class EpsilonGreedy final : public Policy {
 public:
  EpsilonGreedy(const Problem& problem, double epsilon)
      : floor_(problem.floor), epsilon_(epsilon) {}

  absl::StatusOr<std::shared_ptr<const Model>> Prepare(
      const PrepareInput& input) const override {
    if (absl::Status s = CheckFinite(input.arms); !s.ok()) return s;
    std::vector<double> means;
    for (const ArmStatistics& arm : input.arms) {
      means.push_back(arm.count() > 0 ? arm.mean()
                                      : EpsilonGreedyModel::kUnknown);
    }
    return std::make_shared<EpsilonGreedyModel>(std::move(means), epsilon_,
                                                floor_);
  }

 private:
  double floor_;
  double epsilon_;
};

}  // namespace

extern const PolicyInfo kInfo;
constinit const PolicyInfo kInfo = {
    .name = "epsilon_greedy",
    .summary = "The best mean so far; with probability epsilon any arm.",
    .contextual = false,
    .parameters = kParameters,
    .make = [](const Problem& problem,
               const Parameters& parameters) -> std::unique_ptr<const Policy> {
      return std::make_unique<EpsilonGreedy>(problem, parameters.at("epsilon"));
    }};

}  // namespace bandit::policies::epsilon_greedy
