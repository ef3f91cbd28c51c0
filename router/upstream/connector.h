// SPDX-License-Identifier: Apache-2.0
// Resolves and connects one address, bounded in time.
#ifndef BANDIT_ROUTER_UPSTREAM_CONNECTOR_H_
#define BANDIT_ROUTER_UPSTREAM_CONNECTOR_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "asio/io_context.hpp"
#include "router/http2/transport.h"
#include "router/tls/credentials.h"
#include "router/upstream/address.h"

namespace bandit::upstream {

// Either a connected transport, or why there is none.
using ConnectResult = std::function<void(std::unique_ptr<http2::Transport>,
                                         const std::string& error)>;

// Starts to connect; `done` is called once, on `io`, not from within this call.
// A name is tried at each of its addresses in turn, within `timeout` in all,
// the TLS handshake included. `tls` null: cleartext.
void Connect(asio::io_context& io, const Address& address,
             absl::Duration timeout,
             std::shared_ptr<const tls::BackendCredentials> tls,
             ConnectResult done);

}  // namespace bandit::upstream

#endif  // BANDIT_ROUTER_UPSTREAM_CONNECTOR_H_
