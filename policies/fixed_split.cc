// SPDX-License-Identifier: Apache-2.0
// fixed_split: the configured shares, whatever the rewards. The A/B test, and
// what a bandit is compared with.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "policies/policy.h"

namespace bandit::policies::fixed_split {
namespace {

class FixedSplitModel final : public Model {
 public:
  FixedSplitModel(std::vector<double> weights, double floor)
      : Model(floor), weights_(std::move(weights)) {}

 private:
  void Weights(absl::Span<const float>, ArmSet,
               absl::Span<double> w) const override {
    std::copy(weights_.begin(), weights_.end(), w.begin());
  }

  std::vector<double> weights_;
};

// There is nothing to learn, so one model serves always.
class FixedSplit final : public Policy {
 public:
  explicit FixedSplit(const Problem& problem)
      : model_(std::make_shared<FixedSplitModel>(
            problem.weights.empty() ? std::vector<double>(problem.arms, 1)
                                    : problem.weights,
            problem.floor)) {}

  absl::StatusOr<std::shared_ptr<const Model>> Prepare(
      const PrepareInput&) const override {
    return model_;
  }

 private:
  std::shared_ptr<const Model> model_;
};

}  // namespace

extern const PolicyInfo kInfo;
constinit const PolicyInfo kInfo = {
    .name = "fixed_split",
    .summary = "The arms' configured weights, whatever the rewards.",
    .contextual = false,
    .parameters = {},
    .make = [](const Problem& problem,
               const Parameters&) -> std::unique_ptr<const Policy> {
      return std::make_unique<FixedSplit>(problem);
    },
    // Shares are what the config says they are.
    .default_floor = 0};

}  // namespace bandit::policies::fixed_split
