// SPDX-License-Identifier: Apache-2.0
#include "router/config/address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "router/config/scalar.h"

namespace bandit::config {
namespace {

constexpr std::string_view kBackendForms =
    "expected host:port, [IPv6]:port, dns:///name:port or unix:/path";
constexpr std::string_view kListenForms =
    "expected host:port or [IPv6]:port, such as 0.0.0.0:8080";

absl::Status Bad(std::string_view what, std::string_view forms) {
  return absl::InvalidArgumentError(fmt::format("{}, {}", what, forms));
}

bool IsIp(int family, std::string_view text) {
  unsigned char buffer[sizeof(in6_addr)];
  return inet_pton(family, std::string(text).c_str(), buffer) == 1;
}

// A DNS name or an IPv4 address.
bool IsHost(std::string_view host) {
  constexpr size_t kMaxName = 253;
  constexpr size_t kMaxLabel = 63;
  if (host.empty() || host.size() > kMaxName) return false;
  std::string_view label;
  for (std::string_view rest = host;;) {
    const size_t dot = rest.find('.');
    label = rest.substr(0, dot);
    // One dot may end a name.
    if (label.empty() && dot == std::string_view::npos && rest != host) break;
    if (label.empty() || label.size() > kMaxLabel ||
        !std::all_of(label.begin(), label.end(), [](unsigned char c) {
          return absl::ascii_isalnum(c) || c == '-' || c == '_';
        })) {
      return false;
    }
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  // No top-level domain is a number: it is an IPv4 address, or a mistake.
  const bool number = std::all_of(label.begin(), label.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  return label.empty() || !number || IsIp(AF_INET, host);
}

absl::StatusOr<Address> ParseHostPort(std::string_view text,
                                      std::string_view forms,
                                      uint64_t min_port) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(']')) {
    return Bad("has no port", forms);
  }
  Address address;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (!IsIp(AF_INET6, host)) return Bad("has no IPv6 address in []", forms);
  } else if (host.find(':') != std::string_view::npos) {
    return Bad(IsIp(AF_INET6, host) || IsIp(AF_INET6, text)
                   ? "is an IPv6 address without []"
                   : "has more than one colon",
               forms);
  } else if (host.empty()) {
    return Bad("has no host", forms);
  } else if (!IsHost(host)) {
    return Bad("has no host name or IP address before the port", forms);
  }
  const std::optional<Whole> number = ParseWhole(port);
  if (!number.has_value() || !absl::ascii_isdigit(port[0])) {
    return Bad("has a port that is not a number", forms);
  }
  if (number->magnitude < min_port || number->magnitude > 65535) {
    return absl::InvalidArgumentError(fmt::format(
        "has port {}, expected a port in [{}, 65535]", port, min_port));
  }
  address.host = host;
  address.port = static_cast<uint16_t>(number->magnitude);
  return address;
}

}  // namespace

absl::StatusOr<Address> ParseBackendAddress(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  constexpr std::string_view kDns = "dns:///";
  if (text.starts_with(kUnix)) {
    Address address;
    address.kind = Address::Kind::kUnix;
    address.path = text.substr(kUnix.size());
    if (!address.path.starts_with('/')) {
      return Bad("has no absolute path", kBackendForms);
    }
    constexpr size_t kMaxPath = sizeof(sockaddr_un{}.sun_path) - 1;
    if (address.path.size() > kMaxPath) {
      return absl::InvalidArgumentError(
          fmt::format("has a path of {} bytes, expected at most {}",
                      address.path.size(), kMaxPath));
    }
    return address;
  }
  const bool dns = text.starts_with(kDns);
  if (dns) text.remove_prefix(kDns.size());
  if (text.find("//") != std::string_view::npos) {
    return Bad("has an unknown scheme", kBackendForms);
  }
  absl::StatusOr<Address> address = ParseHostPort(text, kBackendForms, 1);
  if (address.ok() && dns) address->kind = Address::Kind::kDns;
  return address;
}

absl::StatusOr<Address> ParseListenAddress(std::string_view text) {
  if (text.find("//") != std::string_view::npos || text.starts_with("unix:")) {
    return Bad("cannot be listened on", kListenForms);
  }
  return ParseHostPort(text, kListenForms, 0);
}

std::string WithoutSecrets(std::string_view uri) {
  const size_t at = uri.rfind('@');
  // A file's name has neither, whatever it looks like.
  if (at == std::string_view::npos || uri.starts_with("sqlite:")) {
    return std::string(uri);
  }
  const size_t scheme = uri.find("://");
  const size_t begin =
      scheme == std::string_view::npos || scheme > at ? 0 : scheme + 3;
  return fmt::format("{}***{}", uri.substr(0, begin), uri.substr(at));
}

}  // namespace bandit::config
