// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/route_table.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "fmt/format.h"
#include "router/experiment/model_name.h"

namespace bandit::experiment {
namespace {

// Debian's Abseil has a string_view of its own.
absl::string_view Abseil(std::string_view s) { return {s.data(), s.size()}; }

// `host:port`, `[v6]:port`, with or without the port: the host alone.
std::string_view WithoutPort(std::string_view authority) {
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    return end == authority.npos ? authority : authority.substr(1, end - 1);
  }
  const size_t colon = authority.rfind(':');
  // Two colons and no brackets: a bare IPv6 address, as a config may have it.
  if (colon == authority.npos || authority.find(':') != colon) return authority;
  return authority.substr(0, colon);
}

bool AuthorityIs(http2::Headers headers, std::string_view host) {
  std::string_view authority = http2::Find(headers, ":authority");
  if (authority.empty()) authority = http2::Find(headers, "host");
  return absl::EqualsIgnoreCase(Abseil(WithoutPort(authority)), Abseil(host));
}

bool HasMetadata(http2::Headers headers, std::string_view key,
                 std::string_view value) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const http2::Header& header) {
                       return header.name == key && header.value == value;
                     });
}

}  // namespace

struct RouteTable::Asked {
  http2::Headers headers;
  std::optional<std::string_view> model;
  std::string_view path;  // "service/method", or what is not gRPC's.
  std::string_view method;
  bool has_model_name;
};

RouteTable::RouteTable(const v1::RouterConfig& config, bool overlays) {
  for (int i = 0; i < config.experiments_size(); ++i) {
    if (config.experiments(i).overlay() != overlays) continue;
    for (const v1::MatchConfig& match : config.experiments(i).match()) {
      Rule rule{.experiment = static_cast<size_t>(i),
                .service = match.service(),
                .method = match.method(),
                .authority = std::string(WithoutPort(match.authority())),
                .model = match.model(),
                .metadata = {},
                .where = {match.where().begin(), match.where().end()}};
      for (const auto& [key, value] : match.metadata()) {
        rule.metadata.emplace_back(absl::AsciiStrToLower(key), value);
      }
      // A map's order is not fixed; the cost of a request should be.
      std::sort(rule.metadata.begin(), rule.metadata.end());
      // The lists that exist for the rule's own path, before it is added to
      // all that it applies to.
      if (!rule.service.empty()) {
        by_service_[rule.service];
        if (!rule.method.empty()) by_method_[rule.service + "/" + rule.method];
      }
      rules_.push_back(std::move(rule));
    }
  }
  for (size_t i = 0; i < rules_.size(); ++i) {
    const Rule& rule = rules_[i];
    const auto applies = [&](std::string_view service,
                             std::string_view method) {
      return (rule.service.empty() || rule.service == service) &&
             (rule.method.empty() || rule.method == method);
    };
    for (auto& [path, candidates] : by_method_) {
      const size_t slash = path.rfind('/');
      if (applies(std::string_view(path).substr(0, slash),
                  std::string_view(path).substr(slash + 1))) {
        candidates.push_back(i);
      }
    }
    for (auto& [service, candidates] : by_service_) {
      // The method is unknown here: a bare one is compared when asked.
      if (rule.service.empty() ||
          (rule.service == service && rule.method.empty())) {
        candidates.push_back(i);
      }
    }
    if (rule.service.empty()) elsewhere_.push_back(i);
  }
}

const RouteTable::Candidates& RouteTable::CandidatesOf(
    std::string_view path) const {
  if (const auto it = by_method_.find(Abseil(path)); it != by_method_.end()) {
    return it->second;
  }
  const size_t slash = path.rfind('/');
  if (slash == path.npos) return elsewhere_;
  const auto it = by_service_.find(Abseil(path.substr(0, slash)));
  return it != by_service_.end() ? it->second : elsewhere_;
}

RouteTable::Verdict RouteTable::Judge(const Rule& rule, const Asked& asked) {
  if (rule.service.empty() && !rule.method.empty() &&
      rule.method != asked.method) {
    return {.failed = Check::kMethod};
  }
  if (!rule.authority.empty() && !AuthorityIs(asked.headers, rule.authority)) {
    return {.failed = Check::kAuthority};
  }
  for (size_t i = 0; i < rule.metadata.size(); ++i) {
    const auto& [key, value] = rule.metadata[i];
    if (!HasMetadata(asked.headers, key, value)) {
      return {.failed = Check::kMetadata, .at = i};
    }
  }
  for (size_t i = 0; i < rule.where.size(); ++i) {
    if (!rule.where[i].Holds(asked.headers)) {
      return {.failed = Check::kWhere, .at = i};
    }
  }
  if (rule.model.empty()) return {};
  if (!asked.has_model_name) return {.failed = Check::kShape};
  if (!asked.model.has_value()) return {.failed = Check::kNeedsModel};
  return {.failed = *asked.model == rule.model ? Check::kNone : Check::kModel};
}

RouteTable::Asked RouteTable::Ask(http2::Headers headers,
                                  std::optional<std::string_view> model) {
  const std::string_view full_path = http2::Find(headers, ":path");
  const std::string_view path = full_path.substr(full_path.starts_with('/'));
  return {.headers = headers,
          .model = model,
          .path = path,
          .method = path.substr(path.rfind('/') + 1),
          .has_model_name = ShapeOf(full_path) != MessageShape::kUnknown};
}

RouteTable::Result RouteTable::Match(http2::Headers headers,
                                     std::optional<std::string_view> model,
                                     Takes takes) const {
  const Asked asked = Ask(headers, model);
  Result result;
  for (const size_t i : CandidatesOf(asked.path)) {
    const Check failed = Judge(rules_[i], asked).failed;
    if (failed == Check::kNeedsModel) {
      return {.experiment = std::nullopt, .needs_model = true, .beside = {}};
    }
    if (failed != Check::kNone) continue;
    const size_t experiment = rules_[i].experiment;
    if (takes(experiment)) {
      result.experiment = experiment;
      result.beside.reset();
      return result;
    }
    if (!result.beside.has_value()) result.beside = experiment;
  }
  return result;
}

bool RouteTable::MatchAll(http2::Headers headers,
                          std::optional<std::string_view> model,
                          std::vector<size_t>* experiments) const {
  experiments->clear();
  const Asked asked = Ask(headers, model);
  for (const size_t i : CandidatesOf(asked.path)) {
    const size_t experiment = rules_[i].experiment;
    // Rules of one experiment follow each other.
    if (!experiments->empty() && experiments->back() == experiment) continue;
    const Check failed = Judge(rules_[i], asked).failed;
    if (failed == Check::kNeedsModel) return false;
    if (failed == Check::kNone) experiments->push_back(experiment);
  }
  return true;
}

std::string RouteTable::Mismatch(const Rule& rule, const Verdict& verdict,
                                 const Asked& asked) {
  switch (verdict.failed) {
    case Check::kNone:
      return "";
    case Check::kMethod:
      return fmt::format("the method is not {}", rule.method);
    case Check::kAuthority:
      return fmt::format("the authority is not {}", rule.authority);
    case Check::kMetadata: {
      const auto& [key, value] = rule.metadata[verdict.at];
      const std::string_view given = http2::Find(asked.headers, key);
      return given.data() == nullptr
                 ? fmt::format("there is no {}, which must be {}", key, value)
                 : fmt::format("{} is {}, not {}", key, given, value);
    }
    case Check::kWhere:
      return rule.where[verdict.at].Unmet(asked.headers);
    case Check::kShape:
      return fmt::format(
          "the rule is for the model {}, and messages of this method have no "
          "model name",
          rule.model);
    case Check::kModel:
    case Check::kNeedsModel:
      return asked.model.value_or("").empty()
                 ? fmt::format("the message has no model name, not {}",
                               rule.model)
                 : fmt::format("the model is {}, not {}", *asked.model,
                               rule.model);
  }
  return "";
}

std::vector<RouteTable::Finding> RouteTable::Explain(
    http2::Headers headers, std::string_view model) const {
  const Asked asked = Ask(headers, model);
  const Candidates& candidates = CandidatesOf(asked.path);
  std::vector<Finding> findings;
  for (size_t i = 0; i < rules_.size(); ++i) {
    const Rule& rule = rules_[i];
    Finding& finding = findings.emplace_back();
    finding.experiment = rule.experiment;
    if (i > 0 && rules_[i - 1].experiment == rule.experiment) {
      finding.rule = findings[i - 1].rule + 1;
    }
    if (std::binary_search(candidates.begin(), candidates.end(), i)) {
      finding.mismatch = Mismatch(rule, Judge(rule, asked), asked);
      continue;
    }
    const bool service =
        rule.service.empty() ||
        asked.path.substr(0, asked.path.rfind('/')) == rule.service;
    finding.mismatch = service
                           ? fmt::format("the method is not {}", rule.method)
                           : fmt::format("the service is not {}", rule.service);
  }
  return findings;
}

}  // namespace bandit::experiment
