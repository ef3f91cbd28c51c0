// SPDX-License-Identifier: Apache-2.0
// thompson: every arm with the probability that it is the best one, given what
// is known of it (Thompson 1933).
//
// The usual implementation draws one value from each posterior and plays the
// largest. That is a draw from this distribution, which here is computed once
// per update, by quadrature, so that the propensity is known.
//
// When arms are left out, the distribution is that among the arms left, exactly
// if those left out are the likeliest best ones (the winner was ejected, say);
// else it is restricted to the arms left and renormalized.
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "policies/policy.h"
#include "policies/posterior.h"
#include "stats/best_arm.h"

namespace bandit::policies::thompson {
namespace {

constexpr Parameter kParameters[] = {
    {.name = "prior_alpha",
     .default_value = 1,
     .min = 1e-3,
     .max = 1e6,
     .meaning = "Binary reward: successes that every arm starts with."},
    {.name = "prior_beta",
     .default_value = 1,
     .min = 1e-3,
     .max = 1e6,
     .meaning = "Binary reward: failures that every arm starts with."},
    {.name = "prior_mean",
     .default_value = 0,
     .min = -1e12,
     .max = 1e12,
     .meaning = "Continuous reward: the prior's mean; needs prior_variance."},
    {.name = "prior_variance",
     .default_value = 0,
     .min = 0,
     .max = 1e24,
     .meaning = "Continuous reward: the prior's variance. 0: a weak prior in "
                "the reward's own units, around the mean of all rewards with "
                "10000 times their variance."},
};

// More observations than this count as so many; the posterior is a needle
// already.
constexpr double kMostObservations = 1e15;
// Wide enough to be forgotten after one reward.
constexpr double kWeakPrior = 1e4;

class ThompsonModel final : public Model {
 public:
  ThompsonModel(stats::BestArmRanking ranking, double floor)
      : Model(floor), ranking_(std::move(ranking)) {}

 private:
  void Weights(absl::Span<const float>, ArmSet eligible,
               absl::Span<double> w) const override {
    // The row that begins with the likeliest best of the eligible: it lacks
    // none of them, and never gives all of them 0.
    size_t row = 0;
    while (!Contains(eligible, ranking_.order[row])) ++row;
    const absl::Span<const double> p = ranking_.row(row);
    std::copy(p.begin(), p.end(), w.begin());
  }

  stats::BestArmRanking ranking_;
};

class Thompson final : public Policy {
 public:
  Thompson(const Problem& problem, const Parameters& parameters)
      : reward_(problem.reward),
        floor_(problem.floor),
        alpha_(parameters.at("prior_alpha")),
        beta_(parameters.at("prior_beta")),
        mean_(parameters.at("prior_mean")),
        variance_(parameters.at("prior_variance")) {}

  absl::StatusOr<std::shared_ptr<const Model>> Prepare(
      const PrepareInput& input) const override {
    if (absl::Status s = CheckFinite(input.arms); !s.ok()) return s;
    if (reward_ == RewardKind::kBinary) {
      return std::make_shared<ThompsonModel>(
          stats::RankBestArms(Betas(input.arms)), floor_);
    }
    const std::vector<stats::NormalPosterior> posteriors = Normals(input.arms);
    for (const stats::NormalPosterior& posterior : posteriors) {
      if (!std::isfinite(posterior.mean) ||
          !std::isfinite(posterior.variance)) {
        return absl::InvalidArgumentError(
            "rewards are too large for their variance to be a number");
      }
    }
    return std::make_shared<ThompsonModel>(stats::RankBestArms(posteriors),
                                           floor_);
  }

 private:
  std::vector<stats::BetaPosterior> Betas(
      absl::Span<const ArmStatistics> arms) const {
    std::vector<stats::BetaPosterior> posteriors;
    for (const ArmStatistics& arm : arms) {
      const double n = std::max(0.0, arm.count());
      const double scale = n > kMostObservations ? kMostObservations / n : 1;
      posteriors.push_back(
          UpdateBeta(alpha_, beta_, scale * n, scale * arm.sum()));
    }
    return posteriors;
  }

  std::vector<stats::NormalPosterior> Normals(
      absl::Span<const ArmStatistics> arms) const {
    const PooledRewards all = Pool(arms);
    const bool weak = variance_ == 0;
    const double prior_mean = weak ? all.mean : mean_;
    const double prior_variance = weak ? kWeakPrior * all.variance : variance_;
    std::vector<stats::NormalPosterior> posteriors;
    for (const ArmStatistics& arm : arms) {
      // The arm's own variance as from n - 1 rewards and that of all arms as
      // from one: two equal rewards by chance must not pass for certainty.
      const double n = std::max(0.0, arm.count());
      const double own = std::max(0.0, n - 1);
      posteriors.push_back(
          UpdateNormal(prior_mean, prior_variance, n, arm.mean(),
                       (own * arm.variance() + all.variance) / (own + 1)));
    }
    return posteriors;
  }

  RewardKind reward_;
  double floor_;
  double alpha_, beta_, mean_, variance_;
};

}  // namespace

extern const PolicyInfo kInfo;
constinit const PolicyInfo kInfo = {
    .name = "thompson",
    .summary = "Every arm with the probability that it is the best one.",
    .contextual = false,
    .parameters = kParameters,
    .make = [](const Problem& problem,
               const Parameters& parameters) -> std::unique_ptr<const Policy> {
      return std::make_unique<Thompson>(problem, parameters);
    }};

}  // namespace bandit::policies::thompson
