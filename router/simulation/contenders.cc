// SPDX-License-Identifier: Apache-2.0
#include "router/simulation/contenders.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_split.h"
#include "fmt/format.h"
#include "policies/policy.h"
#include "router/config/nearest.h"
#include "router/config/scalar.h"

namespace bandit::simulation {
namespace {

constexpr std::string_view kFixedSplit = "fixed_split";

template <typename... Args>
absl::Status Fail(fmt::format_string<Args...> format, Args&&... args) {
  return absl::InvalidArgumentError(
      fmt::format(format, std::forward<Args>(args)...));
}

absl::StatusOr<v1::PolicyConfig> ParsePolicy(const std::string& text) {
  const std::vector<std::string> fields = absl::StrSplit(text, ':');
  v1::PolicyConfig policy;
  policy.set_name(fields[0]);
  std::vector<std::string> names;
  for (const policies::PolicyInfo* known : policies::AllPolicies()) {
    names.emplace_back(known->name);
  }
  const policies::PolicyInfo* info = policies::FindPolicy(fields[0]);
  if (info == nullptr) {
    return Fail("--policies: \"{}\" is no policy, expected {}{}", fields[0],
                config::AnyOf(names), config::DidYouMean(fields[0], names));
  }
  for (size_t i = 1; i < fields.size(); ++i) {
    const std::vector<std::string> pair =
        absl::StrSplit(fields[i], absl::MaxSplits('=', 1));
    const std::optional<double> value =
        pair.size() == 2 ? config::ParseNumber(pair[1]) : std::nullopt;
    if (!value.has_value()) {
      return Fail("--policies: \"{}\" of {} is not parameter=number, as in {}",
                  fields[i], fields[0], "epsilon_greedy:epsilon=0.05");
    }
    if (pair[0] == "floor") {
      policy.set_floor(*value);
    } else {
      (*policy.mutable_params())[pair[0]] = *value;
    }
  }
  return policy;
}

// The floor, and every parameter.
void FillIn(const v1::PolicyConfig& own, v1::PolicyConfig* policy) {
  const policies::PolicyInfo& info = *policies::FindPolicy(policy->name());
  if (!policy->has_floor()) {
    const bool alike =
        policy->name() != kFixedSplit && own.name() != kFixedSplit;
    policy->set_floor(alike ? own.floor() : info.default_floor);
  }
  for (const policies::Parameter& parameter : info.parameters) {
    policy->mutable_params()->insert(
        {std::string(parameter.name), parameter.default_value});
  }
}

bool Same(const v1::PolicyConfig& a, const v1::PolicyConfig& b) {
  const auto params = [](const v1::PolicyConfig& policy) {
    return std::map<std::string, double>(policy.params().begin(),
                                         policy.params().end());
  };
  return a.name() == b.name() && a.floor() == b.floor() &&
         params(a) == params(b);
}

std::string_view WhyUnfit(const v1::PolicyConfig& policy,
                          const v1::ExperimentConfig& experiment) {
  if (!policies::FindPolicy(policy.name())->contextual) return "";
  if (experiment.context().features().empty()) {
    return "needs `context` features, and the experiment has none";
  }
  if (!experiment.reward().weights().empty()) {
    return "learns from one metric, and the reward is a weighted sum";
  }
  return "";
}

class Maker {
 public:
  Maker(const v1::RouterConfig& config, const v1::ExperimentConfig& experiment)
      : config_(config), own_(experiment.policy()) {
    config_.clear_experiments();
    *config_.add_experiments() = experiment;
  }

  // Leaves it out, with the reason, if it does not fit the experiment.
  // Fails if it cannot be made as it is asked for.
  absl::Status Add(std::string label, bool configured,
                   v1::PolicyConfig policy) {
    FillIn(own_, &policy);
    for (const Contender& other : made_.all) {
      if (Same(other.policy, policy)) return absl::OkStatus();
    }
    v1::ExperimentConfig& experiment = *config_.mutable_experiments(0);
    if (const std::string_view why = WhyUnfit(policy, experiment);
        !why.empty()) {
      made_.left_out.push_back(fmt::format("{}: {}", label, why));
      return absl::OkStatus();
    }
    *experiment.mutable_policy() = policy;
    auto plan = experiment::CompilePlan(config_, /*epochs=*/{});
    if (!plan.ok()) return plan.status();
    made_.all.push_back({.label = std::move(label),
                         .configured = configured,
                         .policy = std::move(policy),
                         .plan = *std::move(plan)});
    return absl::OkStatus();
  }

  Contenders Made() { return std::move(made_); }

 private:
  v1::RouterConfig config_;
  v1::PolicyConfig own_;
  Contenders made_;
};

}  // namespace

absl::StatusOr<Contenders> MakeContenders(const v1::RouterConfig& config,
                                          std::string_view experiment,
                                          absl::Span<const std::string> asked) {
  const auto found =
      std::find_if(config.experiments().begin(), config.experiments().end(),
                   [&](const auto& one) { return one.name() == experiment; });
  const v1::PolicyConfig& own = found->policy();
  Maker maker(config, *found);
  absl::Status status = maker.Add(own.name(), /*configured=*/true, own);
  if (!status.ok()) return status;
  std::vector<std::pair<std::string, v1::PolicyConfig>> others;
  for (const std::string& text : asked) {
    auto policy = ParsePolicy(text);
    if (!policy.ok()) return policy.status();
    others.emplace_back(text, *std::move(policy));
  }
  if (asked.empty()) {
    for (const policies::PolicyInfo* info : policies::AllPolicies()) {
      if (info->name == own.name()) continue;
      others.emplace_back(info->name, v1::PolicyConfig());
      others.back().second.set_name(std::string(info->name));
    }
  }
  others.emplace_back(kFixedSplit, v1::PolicyConfig());
  others.back().second.set_name(std::string(kFixedSplit));
  for (auto& [label, policy] : others) {
    status = maker.Add(label, /*configured=*/false, std::move(policy));
    if (!status.ok()) {
      return Fail("--policies {}: {}", label, std::string(status.message()));
    }
  }
  return maker.Made();
}

}  // namespace bandit::simulation
