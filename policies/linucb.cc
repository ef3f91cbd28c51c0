// SPDX-License-Identifier: Apache-2.0
// linucb: a ridge regression for each arm; the largest upper confidence bound
// for this request's features wins (disjoint LinUCB, Li, Chu, Langford and
// Schapire 2010).
//
// Inverting a matrix costs O(d^3) and a rank-one update O(d^2), so an arm with
// few new observations is updated from the model before, and started over from
// time to time, so that rounding cannot pile up.
//
// For a binary reward this is the published algorithm. A continuous one has no
// origin and no unit of its own, so there the ridge holds coefficients near
// (mean of all rewards, 0, 0, ...), the first column being the intercept, and
// the width counts in twice the standard deviation of all rewards (the most
// that a reward in [0, 1] can have): the choice is the same in whatever unit
// the reward is measured.
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "policies/argmax.h"
#include "policies/linear_model.h"
#include "policies/policy.h"

namespace bandit::policies::linucb {
namespace {

constexpr Parameter kParameters[] = {
    {.name = "alpha",
     .default_value = 1,
     .min = 0,
     .max = 1e6,
     .meaning = "Factor of the confidence width."},
    {.name = "lambda",
     .default_value = 1,
     .min = 1e-6,
     .max = 1e6,
     .meaning = "Ridge: how strongly coefficients are held near 0."},
};

// Rank-one updates in a row before an arm is started over.
constexpr size_t kMostUpdates = 512;

// What the inverse of an arm was made of, to see whether a later model may be
// made from it.
struct Origin {
  double count = 0;
  double trace = 0;
  size_t updates = 0;
};

class LinUcbModel final : public Model {
 public:
  LinUcbModel(double width, double lambda, double floor)
      : Model(floor), width(width), lambda(lambda) {}

  const double width;
  const double lambda;
  std::vector<LinearArm> arms;
  std::vector<Origin> origins;

 private:
  void Weights(absl::Span<const float> x, ArmSet eligible,
               absl::Span<double> w) const override {
    double features[kMaxDimension];
    double scores[kMaxArms];
    const size_t n = PackedInverse::Padded(x.size());
    std::fill(std::copy(x.begin(), x.end(), features), features + n, 0.0);
    for (size_t i = 0; i < w.size(); ++i) {
      if (!Contains(eligible, i)) continue;
      scores[i] = LinUcbScore(arms[i], {features, n}, width);
    }
    ShareMaximum({scores, w.size()}, eligible, w);
  }
};

double Trace(absl::Span<const double> gram, size_t dimension) {
  double trace = 0;
  for (size_t i = 0; i < dimension; ++i) trace += gram[i * (i + 3) / 2];
  return trace;
}

// theta_0 + A^-1 (b - gram theta_0), theta_0 = (origin, 0, 0, ...).
std::vector<double> Coefficients(const ArmStatistics& statistics,
                                 const PackedInverse& inverse, double origin) {
  const size_t padded = PackedInverse::Padded(statistics.dimension());
  std::vector<double> rest(padded);
  for (size_t i = 0; i < statistics.dimension(); ++i) {
    rest[i] =
        statistics.response()[i] - origin * statistics.gram()[i * (i + 1) / 2];
  }
  std::vector<double> theta(padded);
  Multiply(inverse, rest, absl::MakeSpan(theta));
  theta[0] += origin;
  return theta;
}

bool Agree(double a, double b) {
  return std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b));
}

class LinUcb final : public Policy {
 public:
  LinUcb(const Problem& problem, double alpha, double lambda)
      : reward_(problem.reward),
        floor_(problem.floor),
        alpha_(alpha),
        lambda_(lambda) {}

  absl::StatusOr<std::shared_ptr<const Model>> Prepare(
      const PrepareInput& input) const override {
    if (absl::Status s = CheckFinite(input.arms); !s.ok()) return s;
    const PooledRewards all = Pool(input.arms);
    const bool binary = reward_ == RewardKind::kBinary;
    const double origin_of_rewards = binary ? 0 : all.mean;
    const double unit = binary ? 1 : 2 * std::sqrt(all.variance);
    auto model = std::make_shared<LinUcbModel>(alpha_ * unit, lambda_, floor_);
    const auto* previous = dynamic_cast<const LinUcbModel*>(input.previous);
    if (previous != nullptr && (previous->lambda != lambda_ ||
                                previous->arms.size() != input.arms.size())) {
      previous = nullptr;
    }
    for (size_t i = 0; i < input.arms.size(); ++i) {
      const ArmStatistics& statistics = input.arms[i];
      Origin origin;
      std::shared_ptr<const PackedInverse> inverse;
      if (previous != nullptr) {
        origin = previous->origins[i];
        inverse = Update(previous->arms[i].inverse, i, input, &origin);
      }
      if (inverse == nullptr) {
        absl::StatusOr<PackedInverse> fresh =
            InvertRidge(statistics.gram(), statistics.dimension(), lambda_);
        if (!fresh.ok()) {
          return absl::InvalidArgumentError(fmt::format(
              "arm {}: {}", i, std::string(fresh.status().message())));
        }
        inverse = std::make_shared<PackedInverse>(*std::move(fresh));
        origin = {};
      }
      origin.count = statistics.count();
      origin.trace = Trace(statistics.gram(), statistics.dimension());
      model->arms.push_back(
          {Coefficients(statistics, *inverse, origin_of_rewards), inverse});
      model->origins.push_back(origin);
    }
    return model;
  }

 private:
  // The inverse for `arm` from the one before and the fresh observations;
  // nullptr if starting over is cheaper, due, or needed because the fresh
  // observations do not account for the statistics (they were discounted, say,
  // or another replica's came in).
  static std::shared_ptr<const PackedInverse> Update(
      std::shared_ptr<const PackedInverse> before, size_t arm,
      const PrepareInput& input, Origin* origin) {
    const ArmStatistics& statistics = input.arms[arm];
    const size_t dimension = statistics.dimension();
    if (before->dimension != dimension) return nullptr;
    double count = origin->count;
    double trace = origin->trace;
    size_t updates = 0;
    for (const NewObservation& fresh : input.fresh) {
      if (fresh.arm != arm) continue;
      if (fresh.observation.features.size() != dimension) return nullptr;
      ++updates;
      count += 1;
      for (float x : fresh.observation.features) {
        trace += static_cast<double>(x) * x;
      }
    }
    if (!Agree(count, statistics.count()) ||
        !Agree(trace, Trace(statistics.gram(), dimension))) {
      return nullptr;
    }
    if (updates == 0) return before;
    origin->updates += updates;
    if (updates > dimension / 2 || origin->updates > kMostUpdates) {
      return nullptr;
    }
    auto inverse = std::make_shared<PackedInverse>(*before);
    for (const NewObservation& fresh : input.fresh) {
      if (fresh.arm == arm &&
          !AddRankOne(fresh.observation.features, inverse.get())) {
        return nullptr;
      }
    }
    return inverse;
  }

  RewardKind reward_;
  double floor_;
  double alpha_;
  double lambda_;
};

}  // namespace

extern const PolicyInfo kInfo;
constinit const PolicyInfo kInfo = {
    .name = "linucb",
    .summary =
        "A linear model of the reward for each arm; the largest upper "
        "confidence bound for the request's features.",
    .contextual = true,
    .parameters = kParameters,
    .make = [](const Problem& problem,
               const Parameters& parameters) -> std::unique_ptr<const Policy> {
      return std::make_unique<LinUcb>(problem, parameters.at("alpha"),
                                      parameters.at("lambda"));
    }};

}  // namespace bandit::policies::linucb
