// SPDX-License-Identifier: Apache-2.0
#include "router/upstream/address.h"

#include <fmt/format.h>

#include <charconv>

#include "asio/ip/address.hpp"

namespace bandit::upstream {
namespace {

bool ConsumePrefix(std::string_view* text, std::string_view prefix) {
  if (text->substr(0, prefix.size()) != prefix) return false;
  text->remove_prefix(prefix.size());
  return true;
}

absl::Status Malformed(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format(
      "address \"{}\" {}; expected host:port, [v6]:port, dns:///name:port or "
      "unix:/path",
      text, what));
}

}  // namespace

std::string Address::ToString() const {
  switch (kind) {
    case Kind::kUnix:
      return fmt::format("unix:{}", path);
    case Kind::kUnixAbstract:
      return fmt::format("unix-abstract:{}", path);
    case Kind::kTcp:
      break;
  }
  return host.find(':') == std::string::npos
             ? fmt::format("{}:{}", host, port)
             : fmt::format("[{}]:{}", host, port);
}

bool Address::is_name() const {
  if (kind != Kind::kTcp) return false;
  std::error_code error;
  asio::ip::make_address(host, error);
  return static_cast<bool>(error);
}

absl::StatusOr<Address> ParseAddress(std::string_view text) {
  Address address;
  std::string_view rest = text;
  if (ConsumePrefix(&rest, "unix-abstract:")) {
    if (rest.empty()) return Malformed(text, "has no name");
    address.kind = Address::Kind::kUnixAbstract;
    address.path = rest;
    return address;
  }
  if (ConsumePrefix(&rest, "unix:")) {
    ConsumePrefix(&rest, "//");
    if (rest.empty() || rest[0] != '/') {
      return Malformed(text, "has no absolute path");
    }
    address.kind = Address::Kind::kUnix;
    address.path = rest;
    return address;
  }
  ConsumePrefix(&rest, "dns:///");
  const size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) return Malformed(text, "has no port");
  std::string_view host = rest.substr(0, colon);
  const std::string_view port = rest.substr(colon + 1);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return Malformed(text, "has an IPv6 address without brackets");
  }
  if (host.empty()) return Malformed(text, "has no host");
  const auto [end, error] =
      std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) {
    return Malformed(text, "has no port in [0, 65535]");
  }
  address.host = host;
  return address;
}

}  // namespace bandit::upstream
