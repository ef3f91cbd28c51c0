// SPDX-License-Identifier: Apache-2.0
// A worker's listening socket. Each worker has its own on the same port
// (SO_REUSEPORT), so the kernel spreads connections and no lock is shared.
#ifndef BANDIT_ROUTER_PROXY_LISTENER_H_
#define BANDIT_ROUTER_PROXY_LISTENER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "asio/io_context.hpp"
#include "asio/ip/tcp.hpp"
#include "asio/steady_timer.hpp"
#include "router/http2/transport.h"
#include "router/upstream/address.h"

namespace bandit::proxy {

// Thread-safety: none, lives on its io_context.
class Listener {
 public:
  using OnAccept = std::function<void(http2::Transport::Socket)>;

  // Whether nobody listens at `address` yet. Workers share a port with
  // SO_REUSEPORT, and without this question a second router would silently
  // take half of the first one's connections. Fails as Bind.
  static absl::Status CheckFree(const upstream::Address& address);

  // Binds and listens. Port 0 takes a free one: address() tells which.
  // Fails with Unavailable (in use), InvalidArgument (no such address) naming
  // the address and the mend.
  static absl::StatusOr<std::unique_ptr<Listener>> Bind(
      asio::io_context& io, const upstream::Address& address);

  void Start(OnAccept on_accept);
  // Takes no more connections.
  void Stop();

  // As bound: an IP address and the port.
  upstream::Address address() const;

 private:
  Listener(asio::io_context& io, asio::ip::tcp::acceptor acceptor);
  void Accept();

  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  OnAccept on_accept_;
};

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_LISTENER_H_
