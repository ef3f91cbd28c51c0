// SPDX-License-Identifier: Apache-2.0
#include "bandit/client/subject.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace bandit::client {
namespace {

absl::string_view Absl(std::string_view s) { return {s.data(), s.size()}; }

// What is wrong with it; nothing if it can be sent.
std::string_view KeyProblem(std::string_view key) {
  const bool fits = std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-' ||
           c == '_' || c == '.';
  });
  if (key.empty() || !fits) {
    return "is not a metadata key, expected letters, digits, _, - and .";
  }
  if (absl::StartsWith(Absl(key), "grpc-")) {
    return "is a key of gRPC's own, expected another";
  }
  if (absl::EndsWith(Absl(key), "-bin")) {
    return "is a key of binary metadata, which the router does not read, "
           "expected one without -bin";
  }
  return "";
}

std::string_view ValueProblem(std::string_view value) {
  const bool fits =
      std::all_of(value.begin(), value.end(),
                  [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
  if (!fits) {
    return "cannot be sent as metadata, expected printable ASCII: encode it, "
           "for example as hex or a hash";
  }
  if (!value.empty() && (value.front() == ' ' || value.back() == ' ')) {
    return "begins or ends with a space, which does not survive as metadata";
  }
  return "";
}

}  // namespace

Subject& Subject::Unit(std::string_view value, std::string_view key) {
  if (!value.empty()) Add(key, value);
  return *this;
}

Subject& Subject::Feature(std::string_view key, std::string_view value) {
  Add(key, value);
  return *this;
}

Subject& Subject::Feature(std::string_view key, double value) {
  if (!std::isfinite(value)) {
    status_.Update(absl::InvalidArgumentError(absl::StrCat(
        Absl(key), " = ", value, " is not finite; it was left out")));
    return *this;
  }
  std::array<char, 32> text;
  const auto end = std::to_chars(text.begin(), text.end(), value).ptr;
  Add(key, {text.data(), static_cast<size_t>(end - text.data())});
  return *this;
}

void Subject::Add(std::string_view key, std::string_view value) {
  std::string lower = absl::AsciiStrToLower(Absl(key));
  if (const std::string_view problem = KeyProblem(lower); !problem.empty()) {
    status_.Update(absl::InvalidArgumentError(absl::StrCat(
        "'", absl::CEscape(lower), "' ", Absl(problem), "; it was left out")));
    return;
  }
  if (const std::string_view problem = ValueProblem(value); !problem.empty()) {
    status_.Update(absl::InvalidArgumentError(
        absl::StrCat(lower, " = '", absl::CEscape(Absl(value)), "' ",
                     Absl(problem), "; it was left out")));
    return;
  }
  metadata_.emplace_back(std::move(lower), value);
}

void Subject::AddTo(grpc::ClientContext* context) const {
  for (const auto& [key, value] : metadata_) context->AddMetadata(key, value);
}

}  // namespace bandit::client
