// SPDX-License-Identifier: Apache-2.0
#include "router/control/explained_request.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "router/experiment/model_name.h"

namespace bandit::control {
namespace {

// A service whose messages have model names, for a rule that names none.
constexpr std::string_view kInference = "inference.GRPCInferenceService";
// A method that a rule for a whole service takes.
constexpr std::string_view kMethods[] = {"ModelInfer", "Predict"};

bool IsKey(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-' ||
           c == '_' || c == '.';
  });
}

bool Has(const v1::ExplainedRequest& request, std::string_view key) {
  return std::any_of(request.metadata().begin(), request.metadata().end(),
                     [&](const auto& entry) { return entry.key() == key; });
}

void Add(v1::ExplainedRequest* request, const std::string& key,
         const std::string& value) {
  v1::MetadataEntry* entry = request->add_metadata();
  entry->set_key(key);
  entry->set_value(value);
}

// Given, or the rule's, or what stands in for it.
std::string Choose(std::string_view what, const std::string& given,
                   std::string_view assumed, v1::ExplainedRequest* request) {
  if (!given.empty() || assumed.empty()) return given;
  request->add_assumed(fmt::format("{} {}", what, assumed));
  return std::string(assumed);
}

// A method of the service that a message with a model name has, if one does.
std::string_view MethodOf(std::string_view service) {
  for (const std::string_view method : kMethods) {
    if (experiment::ShapeOf(fmt::format("/{}/{}", service, method)) !=
        experiment::MessageShape::kUnknown) {
      return method;
    }
  }
  return "Call";
}

}  // namespace

absl::StatusOr<v1::ExplainedRequest> CompleteRequest(
    const experiment::Experiment& experiment, const v1::ExplainRequest& asked) {
  v1::ExplainedRequest request;
  for (const v1::MetadataEntry& entry : asked.metadata()) {
    if (!IsKey(entry.key())) {
      return absl::InvalidArgumentError(fmt::format(
          "metadata \"{}\" is no key of metadata, expected lower-case letters, "
          "digits, -, _ and .",
          entry.key()));
    }
    *request.add_metadata() = entry;
  }
  if (!asked.unit().empty()) {
    if (experiment.unit_key.empty()) {
      return absl::InvalidArgumentError(fmt::format(
          "experiment {} has no `unit`: each of its requests is its own, so "
          "leave the unit out",
          experiment.name));
    }
    if (Has(request, experiment.unit_key)) {
      return absl::InvalidArgumentError(
          fmt::format("{} is the key of experiment {}'s unit, which is given "
                      "twice: leave out one",
                      experiment.unit_key, experiment.name));
    }
    Add(&request, experiment.unit_key, asked.unit());
  }
  const v1::MatchConfig rule = experiment.config.match().empty()
                                   ? v1::MatchConfig()
                                   : experiment.config.match(0);
  const std::string service = Choose(
      "service", asked.service(),
      rule.service().empty() ? kInference : std::string_view(rule.service()),
      &request);
  const std::string method =
      Choose("method", asked.method(),
             rule.method().empty() ? MethodOf(service)
                                   : std::string_view(rule.method()),
             &request);
  request.set_path(fmt::format("/{}/{}", service, method));
  request.set_authority(
      Choose("authority", asked.authority(), rule.authority(), &request));
  request.set_model(Choose("model", asked.model(), rule.model(), &request));
  // A map has no order; an explanation should.
  const std::map<std::string, std::string> wanted(rule.metadata().begin(),
                                                  rule.metadata().end());
  for (const auto& [key, value] : wanted) {
    const std::string lower = absl::AsciiStrToLower(key);
    if (Has(request, lower)) continue;
    Add(&request, lower, value);
    request.add_assumed(fmt::format("metadata {}={}", lower, value));
  }
  return request;
}

std::vector<http2::Header> HeadersOf(const v1::ExplainedRequest& request) {
  std::vector<http2::Header> headers = {{":path", request.path()}};
  if (!request.authority().empty()) {
    headers.emplace_back(":authority", request.authority());
  }
  for (const v1::MetadataEntry& entry : request.metadata()) {
    headers.emplace_back(entry.key(), entry.value());
  }
  return headers;
}

}  // namespace bandit::control
