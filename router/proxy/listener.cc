// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/listener.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <chrono>
#include <utility>

namespace bandit::proxy {
namespace {

using Tcp = asio::ip::tcp;
using ReusePort =
    asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

// After an accept that failed for want of descriptors or memory.
constexpr auto kRetryAfter = std::chrono::milliseconds(100);

absl::Status Failure(const upstream::Address& address, std::string_view what,
                     std::error_code error) {
  const std::string message =
      fmt::format("listen = {}: cannot {} it: {}", address.ToString(), what,
                  error.message());
  if (error == asio::error::address_in_use) {
    return absl::UnavailableError(
        message + "; stop what listens there, or choose another port");
  }
  if (error == std::errc::address_not_available) {
    return absl::InvalidArgumentError(
        message +
        "; it is not this machine's: take 0.0.0.0 for all that it has");
  }
  if (error == std::errc::permission_denied) {
    return absl::InvalidArgumentError(
        message +
        "; take a port from 1024 on, or give the router "
        "CAP_NET_BIND_SERVICE");
  }
  return absl::InvalidArgumentError(message);
}

// A bound socket.
absl::StatusOr<Tcp::acceptor> Open(asio::io_context& io,
                                   const upstream::Address& address,
                                   bool share) {
  std::error_code error;
  Tcp::resolver resolver(io);
  const auto found =
      resolver.resolve(address.host, std::to_string(address.port),
                       Tcp::resolver::passive, error);
  if (error || found.empty()) return Failure(address, "resolve", error);
  const Tcp::endpoint endpoint = *found.begin();

  Tcp::acceptor acceptor(io);
  acceptor.open(endpoint.protocol(), error);
  if (error) return Failure(address, "open a socket for", error);
  acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (share) acceptor.set_option(ReusePort(true), error);
  acceptor.bind(endpoint, error);
  if (error) return Failure(address, "bind", error);
  return acceptor;
}

}  // namespace

absl::Status Listener::CheckFree(const upstream::Address& address) {
  asio::io_context io;
  return Open(io, address, /*share=*/false).status();
}

absl::StatusOr<std::unique_ptr<Listener>> Listener::Bind(
    asio::io_context& io, const upstream::Address& address) {
  auto acceptor = Open(io, address, /*share=*/true);
  if (!acceptor.ok()) return acceptor.status();
  std::error_code error;
  acceptor->listen(Tcp::acceptor::max_listen_connections, error);
  if (error) return Failure(address, "listen on", error);
  return std::unique_ptr<Listener>(new Listener(io, *std::move(acceptor)));
}

Listener::Listener(asio::io_context& io, Tcp::acceptor acceptor)
    : acceptor_(std::move(acceptor)), retry_(io) {}

void Listener::Start(OnAccept on_accept) {
  on_accept_ = std::move(on_accept);
  Accept();
}

void Listener::Stop() {
  std::error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
}

upstream::Address Listener::address() const {
  std::error_code ignored;
  const Tcp::endpoint endpoint = acceptor_.local_endpoint(ignored);
  return {.host = endpoint.address().to_string(), .port = endpoint.port()};
}

void Listener::Accept() {
  acceptor_.async_accept([this](std::error_code error, Tcp::socket socket) {
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
    if (!error) {
      on_accept_(std::move(socket));
      Accept();
      return;
    }
    spdlog::warn("accept failed: {}; trying again in {} ms", error.message(),
                 kRetryAfter.count());
    retry_.expires_after(kRetryAfter);
    retry_.async_wait([this](std::error_code aborted) {
      if (!aborted) Accept();
    });
  });
}

}  // namespace bandit::proxy
