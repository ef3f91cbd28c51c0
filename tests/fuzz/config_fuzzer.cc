// SPDX-License-Identifier: Apache-2.0
// Any bytes as a config file: it loads and survives being written and read
// again, or every error is one line that says where and shows no secret.
#include <google/protobuf/util/message_differencer.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_split.h"
#include "router/config/describe.h"
#include "router/config/load.h"

namespace bandit::config {
namespace {

constexpr std::string_view kSecret = "S3CRET-of-the-environment";

std::optional<std::string> Variable(std::string_view name) {
  if (name == "KEY") return std::string(kSecret);
  if (name == "N") return "3";
  return std::nullopt;
}

void Require(bool holds, std::string_view what, std::string_view text) {
  if (holds) return;
  std::cerr << what << ":\n" << text << '\n';
  std::abort();
}

void CheckErrors(std::string_view text, const std::string& message) {
  // libFuzzer learns the secret from this comparison and writes it itself.
  Require(text.find(kSecret) != std::string_view::npos ||
              message.find(kSecret) == std::string::npos,
          "a secret", message);
  const std::vector<std::string> lines = absl::StrSplit(message, '\n');
  for (const std::string& line : lines) {
    const size_t digits = line.find_first_not_of("0123456789", 2);
    Require(line.starts_with("f:") && digits != std::string::npos &&
                digits > 2 && line.substr(digits, 2) == ": ",
            "not file:line", line);
    for (char c : line) {
      Require(static_cast<unsigned char>(c) >= 0x20, "not one line", line);
    }
  }
}

void CheckRoundTrip(const LoadedConfig& loaded) {
  const std::string yaml = ToYaml(loaded.proto);
  Require(loaded.proto.token_key().empty() ||
              yaml.find("token_key: \"***\"") != std::string::npos,
          "the token key is not hidden", yaml);
  const auto again = LoadText(yaml, "f", Variable);
  // What was written may be longer than what was read, and so too long.
  if (yaml.size() > (size_t{1} << 18)) return;
  Require(again.ok(), "does not load again", yaml);
  Require(google::protobuf::util::MessageDifferencer::Equals(
              again->proto, WithoutSecrets(loaded.proto)),
          "loads as another config", yaml);
  Require(ToYaml(again->proto) == yaml, "is written in another way", yaml);
}

}  // namespace
}  // namespace bandit::config

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto loaded =
      bandit::config::LoadText(text, "f", bandit::config::Variable);
  if (loaded.ok()) {
    bandit::config::CheckRoundTrip(*loaded);
  } else {
    bandit::config::CheckErrors(text, std::string(loaded.status().message()));
  }
  return 0;
}
