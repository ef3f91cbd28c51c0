// SPDX-License-Identifier: Apache-2.0
// Addresses as the config writes them.
#ifndef BANDIT_ROUTER_CONFIG_ADDRESS_H_
#define BANDIT_ROUTER_CONFIG_ADDRESS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace bandit::config {

struct Address {
  enum class Kind {
    kHost,  // host:port: one address, or a name that is resolved once.
    kDns,   // dns:///name:port: all records of the name.
    kUnix,  // unix:/path
  };
  Kind kind = Kind::kHost;
  std::string host;  // IPv6 without its brackets.
  uint16_t port = 0;
  std::string path;  // kUnix
};

// Where a backend is: `host:port`, `[::1]:port`, `dns:///name:port` or
// `unix:/path`; ports from 1.
// Fails with InvalidArgument, "is what is wrong, expected ...", to follow the
// address.
absl::StatusOr<Address> ParseBackendAddress(std::string_view text);

// Where the router listens: `host:port` or `[::]:port`; port 0 takes a free
// one.
absl::StatusOr<Address> ParseListenAddress(std::string_view text);

// `uri` without the user and password that it may hold.
std::string WithoutSecrets(std::string_view uri);

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_ADDRESS_H_
