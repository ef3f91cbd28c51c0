// SPDX-License-Identifier: Apache-2.0
#include "router/control/access.h"

#include <sodium.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "fmt/format.h"
#include "router/text/utf8.h"
#include "router/tls/peer_name.h"

namespace bandit::control {
namespace {

constexpr std::string_view kOpen[] = {"/bandit.v1.Feedback/",
                                      "/grpc.health.v1.Health/"};
constexpr std::string_view kBearer = "bearer ";
// Who has control_token.
constexpr std::string_view kOperator = "operator";
constexpr size_t kHashBytes = 32;
// Of a path that a caller chose.
constexpr size_t kMostShown = 128;

// Of fixed length, so that comparing it tells nothing of the token's own.
std::string Hash(std::string_view text) {
  std::string hash(kHashBytes, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), kHashBytes,
                     reinterpret_cast<const unsigned char*>(text.data()),
                     text.size(), nullptr, 0);
  return hash;
}

bool IsOpen(std::string_view path) {
  return std::any_of(std::begin(kOpen), std::end(kOpen),
                     [&](std::string_view open) {
                       return path.substr(0, open.size()) == open;
                     });
}

// Whether a path is one of the control services'.
bool IsServed(std::string_view path) {
  return path.starts_with("/bandit.v1.") || path.starts_with("/grpc.");
}

}  // namespace

Access::Access(const Options& options)
    : asks_(!options.token.empty() || !options.identities.empty()),
      mutual_tls_(options.mutual_tls),
      client_names_(options.client_names) {
  if (!options.token.empty()) {
    identities_.push_back(
        {.name = std::string(kOperator), .token_hash = Hash(options.token)});
  }
  for (const auto& [name, token] : options.identities) {
    identities_.push_back({.name = name, .token_hash = Hash(token)});
  }
}

std::string_view Access::Identify(std::string_view authorization) const {
  const std::string_view scheme = authorization.substr(0, kBearer.size());
  if (!absl::EqualsIgnoreCase({scheme.data(), scheme.size()},
                              {kBearer.data(), kBearer.size()})) {
    return {};
  }
  const std::string hash = Hash(authorization.substr(kBearer.size()));
  // All are compared, so that the time tells nothing.
  std::string_view name;
  for (const Identity& identity : identities_) {
    if (sodium_memcmp(hash.data(), identity.token_hash.data(), kHashBytes) ==
        0) {
      name = identity.name;
    }
  }
  return name;
}

absl::Status Access::Check(Door door, std::string_view path,
                           std::string_view authorization) const {
  if (IsOpen(path)) return absl::OkStatus();
  if (!IsServed(path)) {
    return absl::UnimplementedError(fmt::format(
        "{} is not served here: this is the router's control port, which has "
        "feedback, admin, health and reflection; send requests for models to "
        "its `listen` port",
        text::Utf8Prefix(path, kMostShown)));
  }
  if (!asks_) {
    if (door == Door::kControl || !mutual_tls_) return absl::OkStatus();
    return absl::PermissionDeniedError(
        "control_tls asks for client certificates, which this port does not "
        "pass on: call the control port, or set control_token");
  }
  const std::string_view scheme = authorization.substr(0, kBearer.size());
  const bool bearer = absl::EqualsIgnoreCase({scheme.data(), scheme.size()},
                                             {kBearer.data(), kBearer.size()});
  if (!bearer) {
    return absl::UnauthenticatedError(
        "this service asks for the metadata `authorization: Bearer TOKEN`, "
        "with the router's control_token");
  }
  if (!Identify(authorization).empty()) return absl::OkStatus();
  return absl::UnauthenticatedError(
      "the bearer token is not the router's control_token");
}

absl::Status Access::CheckNames(
    const std::vector<std::string_view>& dns,
    const std::vector<std::string_view>& uris) const {
  if (client_names_.empty()) return absl::OkStatus();
  for (const std::string& rule : client_names_) {
    for (const std::string_view name : dns) {
      if (tls::DnsNameFits(name, rule)) return absl::OkStatus();
    }
    if (std::find(uris.begin(), uris.end(), rule) != uris.end()) {
      return absl::OkStatus();
    }
  }
  return absl::PermissionDeniedError(
      "the client's certificate has none of control_tls.client_names");
}

}  // namespace bandit::control
