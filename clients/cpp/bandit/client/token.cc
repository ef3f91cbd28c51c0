// SPDX-License-Identifier: Apache-2.0
#include "bandit/client/token.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "router/experiment/base64url.h"
#include "router/experiment/decision_codec.h"

namespace bandit::client {
namespace {

constexpr unsigned char kVersion = 1;
constexpr size_t kTagSize = 16;
constexpr size_t kMaxTokenSize =
    experiment::Base64UrlSize(1 + experiment::kMaxDecisionSize + kTagSize);

}  // namespace

absl::StatusOr<TokenFields> ReadToken(std::string_view token) {
  if (token.size() > kMaxTokenSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("a decision token has at most ", kMaxTokenSize,
                     " characters, this text has ", token.size()));
  }
  std::string bytes(token.size() * 3 / 4 + 1, '\0');
  auto* data = reinterpret_cast<unsigned char*>(bytes.data());
  if (!experiment::Base64UrlDecode(token, data)) {
    return absl::InvalidArgumentError(
        "the decision token is not base64url without padding; expected the "
        "value of x-bandit-decision as it came");
  }
  const size_t size = token.size() * 3 / 4;
  if (size <= kTagSize) {
    return absl::InvalidArgumentError("the decision token is too short");
  }
  if (data[0] != kVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat("the decision token has version ", int{data[0]},
                     ", this client reads version ", int{kVersion}));
  }
  experiment::Decision decision;
  if (!experiment::DecodeDecision(absl::MakeSpan(data + 1, size - 1 - kTagSize),
                                  &decision)) {
    return absl::InvalidArgumentError("the decision token is malformed");
  }
  TokenFields fields;
  fields.experiment = decision.experiment;
  fields.epoch = decision.epoch;
  fields.arm = decision.arm;
  fields.propensity = decision.propensity;
  fields.time = absl::FromUnixMillis(decision.time_ms);
  fields.id = decision.id;
  fields.unit = decision.unit;
  // The codec takes only tokens whose mark says the same.
  fields.own_unit = decision.unit == decision.id;
  fields.segments = decision.segments;
  fields.covariate = decision.covariate;
  fields.features.assign(decision.features.begin(), decision.features.end());
  return fields;
}

}  // namespace bandit::client
