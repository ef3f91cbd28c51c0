// SPDX-License-Identifier: Apache-2.0
#include "policies/policy.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <utility>

#include "fmt/format.h"

namespace bandit::policies {
namespace {

// Joins what there is to choose from, for messages.
template <typename Range, typename Name>
std::string Names(const Range& range, Name name) {
  std::string names;
  for (const auto& item : range) {
    if (!names.empty()) names += ", ";
    names += name(item);
  }
  return names.empty() ? "none" : names;
}

absl::Status CheckProblem(const PolicyInfo& info, const Problem& problem) {
  const auto fail = [](const std::string& message) {
    return absl::InvalidArgumentError(message);
  };
  if (problem.arms == 0 || problem.arms > kMaxArms) {
    return fail(
        fmt::format("arms: {} is outside [1, {}]", problem.arms, kMaxArms));
  }
  // Written so that NaN fails too. 1e-9: 1/arms as people write it.
  const double most = 1.0 / static_cast<double>(problem.arms);
  if (!(problem.floor >= 0 && problem.floor <= most * (1 + 1e-9))) {
    return fail(fmt::format("floor = {} is outside [0, 1/{} arms = {}]",
                            problem.floor, problem.arms, most));
  }
  if (problem.dimension > kMaxDimension) {
    return fail(fmt::format("context: {} feature columns, at most {} allowed",
                            problem.dimension, kMaxDimension));
  }
  if (info.contextual && problem.dimension == 0) {
    return fail(fmt::format("policy {} needs context features", info.name));
  }
  if (problem.weights.empty()) return absl::OkStatus();
  if (problem.weights.size() != problem.arms) {
    return fail(fmt::format("weights: {} given for {} arms",
                            problem.weights.size(), problem.arms));
  }
  double sum = 0;
  for (double weight : problem.weights) {
    if (!(weight >= 0 && std::isfinite(weight))) {
      return fail(
          fmt::format("weight = {} is not a finite number of at least "
                      "0",
                      weight));
    }
    sum += weight;
  }
  if (!(sum > 0 && std::isfinite(sum))) {
    return fail(
        fmt::format("weights: their sum {} is not positive and finite", sum));
  }
  return absl::OkStatus();
}

absl::StatusOr<Parameters> CheckParameters(
    const PolicyInfo& info, const std::map<std::string, double>& given) {
  Parameters values;
  for (const Parameter& parameter : info.parameters) {
    values.emplace(parameter.name, parameter.default_value);
  }
  for (const auto& [name, value] : given) {
    const auto parameter = std::find_if(
        info.parameters.begin(), info.parameters.end(),
        [&name = name](const Parameter& p) { return p.name == name; });
    if (parameter == info.parameters.end()) {
      return absl::InvalidArgumentError(fmt::format(
          "params.{}: policy {} has no such parameter, expected one of: {}",
          name, info.name, Names(info.parameters, [](const Parameter& p) {
            return std::string(p.name);
          })));
    }
    if (!(value >= parameter->min && value <= parameter->max)) {
      return absl::InvalidArgumentError(
          fmt::format("params.{} = {} is outside [{}, {}]", name, value,
                      parameter->min, parameter->max));
    }
    values[name] = value;
  }
  return values;
}

void Uniform(ArmSet eligible, absl::Span<double> p) {
  const double share = 1.0 / std::popcount(eligible);
  for (size_t i = 0; i < p.size(); ++i) {
    p[i] = Contains(eligible, i) ? share : 0;
  }
}

}  // namespace

void Model::Probabilities(absl::Span<const float> x, ArmSet eligible,
                          absl::Span<double> p) const {
  eligible &= AllArms(p.size());
  if (eligible == 0) {
    std::fill(p.begin(), p.end(), 0.0);
    return;
  }
  Weights(x, eligible, p);
  ApplyFloor(floor_, eligible, p);
}

const PolicyInfo* FindPolicy(std::string_view name) {
  for (const PolicyInfo* info : AllPolicies()) {
    if (info->name == name) return info;
  }
  return nullptr;
}

absl::StatusOr<std::unique_ptr<const Policy>> MakePolicy(
    std::string_view name, const Problem& problem,
    const std::map<std::string, double>& given) {
  const PolicyInfo* const info = FindPolicy(name);
  if (info == nullptr) {
    return absl::InvalidArgumentError(fmt::format(
        "policy '{}' is unknown, expected one of: {}", name,
        Names(AllPolicies(),
              [](const PolicyInfo* p) { return std::string(p->name); })));
  }
  if (absl::Status status = CheckProblem(*info, problem); !status.ok()) {
    return status;
  }
  absl::StatusOr<Parameters> parameters = CheckParameters(*info, given);
  if (!parameters.ok()) return parameters.status();
  return info->make(problem, *parameters);
}

void ApplyFloor(double floor, ArmSet eligible, absl::Span<double> w) {
  assert(w.size() <= kMaxArms);
  eligible &= AllArms(w.size());
  if (eligible == 0) {
    std::fill(w.begin(), w.end(), 0.0);
    return;
  }
  double sum = 0;
  double largest = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    if (!Contains(eligible, i)) continue;
    sum += w[i];
    largest = std::max(largest, w[i]);
  }
  // NaN and infinity fall through the comparison as well. The bounds keep
  // 1 / sum a normal number, whatever the scale of the weights.
  double unit = 1;
  if (!(sum >= 1e-300 && sum <= 1e300)) {
    if (!(largest > 0 && std::isfinite(largest) && !std::isnan(sum))) {
      return Uniform(eligible, w);
    }
    unit = largest;
    sum = 0;
    for (size_t i = 0; i < w.size(); ++i) {
      if (Contains(eligible, i)) sum += w[i] / unit;
    }
  }
  floor = std::max(0.0, floor);
  const double rest = 1 - floor * std::popcount(eligible);
  if (rest < 0) return Uniform(eligible, w);
  for (size_t i = 0; i < w.size(); ++i) {
    w[i] = Contains(eligible, i) ? floor + rest * (w[i] / unit / sum) : 0;
  }
}

}  // namespace bandit::policies
