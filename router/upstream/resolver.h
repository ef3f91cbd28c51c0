// SPDX-License-Identifier: Apache-2.0
// Looks names up, off the loop.
#ifndef BANDIT_ROUTER_UPSTREAM_RESOLVER_H_
#define BANDIT_ROUTER_UPSTREAM_RESOLVER_H_

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "asio/io_context.hpp"
#include "router/upstream/address.h"

namespace bandit::upstream {

// Every address that a name has, as IP addresses with the name's port. Fails
// with Unavailable if there is none.
using Resolved = std::function<void(absl::StatusOr<std::vector<Address>>)>;

// Starts to look up `name`; `done` is called once, on the loop's thread, not
// from within this call. It is dropped uncalled if the loop ends before.
using Resolver = std::function<void(const Address& name, Resolved done)>;

// Asks the system (getaddrinfo, in a thread of Asio's): the hosts file, A and
// AAAA records.
Resolver SystemResolver(asio::io_context& io);

}  // namespace bandit::upstream

#endif  // BANDIT_ROUTER_UPSTREAM_RESOLVER_H_
