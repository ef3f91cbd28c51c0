// SPDX-License-Identifier: Apache-2.0
#include "bandit/client/reward.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace bandit::client {
namespace {

constexpr size_t kMaxMetric = 128;
// More than any token has, and far less than a message may.
constexpr size_t kMaxToken = 8192;
constexpr size_t kMaxRequestId = 256;

bool IsPrintable(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
}

// Not what it says: a router newer than this client may write other tokens.
absl::Status CheckToken(const std::string& token) {
  const bool fits = token.size() <= kMaxToken &&
                    std::all_of(token.begin(), token.end(), [](char c) {
                      return absl::ascii_isalnum(c) || c == '_' || c == '-';
                    });
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "'", absl::CEscape(token.substr(0, 100)),
      "' is no decision token, expected the value of x-bandit-decision as it "
      "came"));
}

absl::Status CheckName(const std::string& name) {
  const bool fits =
      name.size() <= kMaxMetric &&
      std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return absl::ascii_isalnum(c) || c == '_' || c == '-' || c == '.';
      });
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("metric '", absl::CEscape(name.substr(0, kMaxMetric)),
                   "' is not a name, expected at most ", kMaxMetric,
                   " letters, digits, _, - and ."));
}

}  // namespace

std::string_view Name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAccepted:
      return "ACCEPTED";
    case Outcome::kDuplicate:
      return "DUPLICATE";
    case Outcome::kLate:
      return "LATE";
    case Outcome::kUnknown:
      return "UNKNOWN";
    case Outcome::kRejected:
      return "REJECTED";
  }
  return "OUTCOME_UNSPECIFIED";
}

// Each of these the router would refuse as well, or gRPC would, and with it the
// whole batch: text that is not UTF-8 does not parse.
absl::Status Check(const Reward& reward) {
  if (!std::isfinite(reward.value)) {
    return absl::InvalidArgumentError(
        absl::StrCat("value = ", reward.value, " of metric '", reward.metric,
                     "' is not finite"));
  }
  if (absl::Status name = CheckName(reward.metric); !name.ok()) return name;
  if (!reward.token.empty()) return CheckToken(reward.token);
  if (reward.request_id.empty()) {
    return absl::InvalidArgumentError(
        "a reward needs the token of a decision or a request id; a request "
        "that is not counted has no token: see Decision::counted()");
  }
  if (reward.request_id.size() > kMaxRequestId ||
      !IsPrintable(reward.request_id)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a request id has at most ", kMaxRequestId,
                     " characters of printable ASCII"));
  }
  return absl::OkStatus();
}

}  // namespace bandit::client
