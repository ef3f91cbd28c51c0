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
  // Of an address that was looked up: the name that it was looked up for.
  std::string name;

  // What the server calls itself: the host as the config gives it.
  const std::string& server_name() const { return name.empty() ? host : name; }

  // As ParseAddress reads it.
  std::string ToString() const;
  // Whether it must be looked up before it can be connected to.
  bool is_name() const;

  friend bool operator==(const Address&, const Address&) = default;
};

// Reads `host:port`, `[v6]:port`, `dns:///name:port`, `unix:/path`,
// `unix:///path` and `unix-abstract:name`.
// Fails with InvalidArgument naming the text and what was expected.
absl::StatusOr<Address> ParseAddress(std::string_view text);

}  // namespace bandit::upstream

#endif  // BANDIT_ROUTER_UPSTREAM_ADDRESS_H_
