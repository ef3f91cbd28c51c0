// SPDX-License-Identifier: Apache-2.0
// Where a backend listens, as written in the config.
#ifndef BANDIT_ROUTER_UPSTREAM_ADDRESS_H_
#define BANDIT_ROUTER_UPSTREAM_ADDRESS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace bandit::upstream {

struct Address {
  enum class Kind { kTcp, kUnix, kUnixAbstract };
  Kind kind = Kind::kTcp;
  std::string host;   // kTcp: a name or an IP address without brackets.
  uint16_t port = 0;  // kTcp.
  std::string path;   // kUnix: the path; kUnixAbstract: the name.

  // As ParseAddress reads it.
  std::string ToString() const;
};

// Reads `host:port`, `[v6]:port`, `dns:///name:port`, `unix:/path`,
// `unix:///path` and `unix-abstract:name`.
// Fails with InvalidArgument naming the text and what was expected.
absl::StatusOr<Address> ParseAddress(std::string_view text);

}  // namespace bandit::upstream

#endif  // BANDIT_ROUTER_UPSTREAM_ADDRESS_H_
