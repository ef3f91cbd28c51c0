// SPDX-License-Identifier: Apache-2.0
// ucb1: the arm with the largest upper confidence bound (Auer, Cesa-Bianchi
// and Fischer 2002).
//
// Its bound assumes rewards in an interval of length 1. Binary rewards are.
// Continuous ones have no such range, so theirs is taken to be twice their
// standard deviation over all arms, which is what an interval of length 1
// amounts to at most; the choice is then the same in whatever unit the reward
// is measured.
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "policies/argmax.h"
#include "policies/policy.h"
#include "policies/ucb_index.h"

namespace bandit::policies::ucb1 {
namespace {

constexpr Parameter kParameters[] = {
    {.name = "alpha",
     .default_value = 1,
     .min = 0,
     .max = 1e6,
     .meaning = "Factor of the confidence width; 1 is the published UCB1."},
};

class Ucb1Model final : public Model {
 public:
  Ucb1Model(std::vector<double> indices, double floor)
      : Model(floor), indices_(std::move(indices)) {}

 private:
  void Weights(absl::Span<const float>, ArmSet eligible,
               absl::Span<double> w) const override {
    ShareMaximum(indices_, eligible, w);
  }

  std::vector<double> indices_;
};

class Ucb1 final : public Policy {
 public:
  Ucb1(const Problem& problem, double alpha)
      : reward_(problem.reward), floor_(problem.floor), alpha_(alpha) {}

  absl::StatusOr<std::shared_ptr<const Model>> Prepare(
      const PrepareInput& input) const override {
    if (absl::Status s = CheckFinite(input.arms); !s.ok()) return s;
    const PooledRewards all = Pool(input.arms);
    const double range =
        reward_ == RewardKind::kBinary ? 1 : 2 * std::sqrt(all.variance);
    std::vector<double> indices;
    for (const ArmStatistics& arm : input.arms) {
      indices.push_back(
          UcbIndex(arm.mean(), arm.count(), all.count, alpha_ * range));
    }
    return std::make_shared<Ucb1Model>(std::move(indices), floor_);
  }

 private:
  RewardKind reward_;
  double floor_;
  double alpha_;
};

}  // namespace

extern const PolicyInfo kInfo;
constinit const PolicyInfo kInfo = {
    .name = "ucb1",
    .summary = "The largest upper confidence bound; arms without data first.",
    .contextual = false,
    .parameters = kParameters,
    .make = [](const Problem& problem,
               const Parameters& parameters) -> std::unique_ptr<const Policy> {
      return std::make_unique<Ucb1>(problem, parameters.at("alpha"));
    }};

}  // namespace bandit::policies::ucb1
