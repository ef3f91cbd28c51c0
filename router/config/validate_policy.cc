// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "policies/policy.h"
#include "router/config/checks.h"
#include "router/config/nearest.h"
#include "router/config/validate.h"

namespace bandit::config {
namespace {

const policies::Parameter* FindParameter(const policies::PolicyInfo& info,
                                         std::string_view name) {
  for (const policies::Parameter& parameter : info.parameters) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

// Checks the parameters against the policy's table and fills in the rest.
void ValidateParameters(const Path& path, const policies::PolicyInfo& info,
                        v1::PolicyConfig* policy, Report* report) {
  std::vector<std::string> names;
  for (const policies::Parameter& parameter : info.parameters) {
    names.emplace_back(parameter.name);
  }
  const std::map<std::string, double> given(policy->params().begin(),
                                            policy->params().end());
  for (const auto& [name, value] : given) {
    const Path place = path.Entry(name);
    if (report->Broken(place)) continue;
    const policies::Parameter* parameter = FindParameter(info, name);
    if (parameter == nullptr) {
      report->Fail(
          place, fmt::format("is not a parameter of {}, expected {}{}",
                             info.name, AnyOf(names), DidYouMean(name, names)));
    } else if (!(value >= parameter->min && value <= parameter->max)) {
      report->FailValue(
          place, fmt::format("{}", value),
          fmt::format("is outside [{}, {}]", parameter->min, parameter->max));
    }
  }
  for (const policies::Parameter& parameter : info.parameters) {
    policy->mutable_params()->insert(
        {std::string(parameter.name), parameter.default_value});
  }
}

}  // namespace

void ValidatePolicy(const Path& path, size_t arms, bool has_context,
                    v1::PolicyConfig* policy, Report* report) {
  const double floor = policy->floor();
  if (arms > 0 && floor * static_cast<double>(arms) > 1 &&
      !report->Broken(path.Field("floor"))) {
    report->FailValue(
        path.Field("floor"), fmt::format("{}", floor),
        fmt::format("is outside [0, {}], expected floor * arms <= 1 with {} "
                    "arms",
                    1.0 / static_cast<double>(arms), arms));
  }
  if (policy->name().empty()) return;  // Reported by the reader.
  const Path name = path.Field("name");
  const policies::PolicyInfo* info = policies::FindPolicy(policy->name());
  if (info == nullptr) {
    std::vector<std::string> names;
    for (const policies::PolicyInfo* known : policies::AllPolicies()) {
      names.emplace_back(known->name);
    }
    return CheckReference(name, policy->name(), "policies", names, report);
  }
  if (info->contextual && !has_context) {
    report->FailValue(name, policy->name(),
                      "needs features, expected `context.features`");
  }
  ValidateParameters(path.Field("params"), *info, policy, report);
  if (!policy->has_floor()) policy->set_floor(info->default_floor);
}

}  // namespace bandit::config
