// SPDX-License-Identifier: Apache-2.0
#include "router/http2/transport.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "asio/ip/tcp.hpp"

namespace bandit::http2 {
namespace {

Transport::Result Failure(int error) {
  if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR) {
    return {Transport::Result::State::kWouldBlock, 0, {}};
  }
  return {Transport::Result::State::kClosed, 0,
          std::error_code(error, std::system_category())};
}

class Plain : public Transport {
 public:
  explicit Plain(Socket socket) : socket_(std::move(socket)) {
    std::error_code ignored;
    socket_.non_blocking(true, ignored);
    // Fails on Unix sockets, which have no delay to switch off.
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  }

  Result Read(uint8_t* data, size_t size) override {
    const ssize_t n = ::recv(socket_.native_handle(), data, size, 0);
    if (n < 0) return Failure(errno);
    if (n == 0) return {Result::State::kClosed, 0, {}};
    return {Result::State::kDone, static_cast<size_t>(n), {}};
  }

  Result Write(const iovec* vectors, int count) override {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(vectors);
    message.msg_iovlen = static_cast<size_t>(count);
    const ssize_t n =
        ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
    if (n < 0) return Failure(errno);
    return {Result::State::kDone, static_cast<size_t>(n), {}};
  }

  void WaitRead(std::function<void()> ready) override {
    Wait(Socket::wait_read, std::move(ready));
  }
  void WaitWrite(std::function<void()> ready) override {
    Wait(Socket::wait_write, std::move(ready));
  }

  void Shutdown() override {
    std::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }

  void Close() override {
    std::error_code ignored;
    socket_.close(ignored);
  }

  std::string peer() const override {
    std::error_code error;
    const auto endpoint = socket_.remote_endpoint(error);
    return error ? "unknown" : EndpointName(endpoint);
  }

 private:
  void Wait(Socket::wait_type type, std::function<void()> ready) {
    socket_.async_wait(type, [ready = std::move(ready)](std::error_code error) {
      if (error != asio::error::operation_aborted) ready();
    });
  }

  Socket socket_;
};

}  // namespace

std::unique_ptr<Transport> PlainTransport(Transport::Socket socket) {
  return std::make_unique<Plain>(std::move(socket));
}

std::string EndpointName(
    const asio::generic::stream_protocol::endpoint& endpoint) {
  const auto* address =
      static_cast<const sockaddr*>(static_cast<const void*>(endpoint.data()));
  std::array<char, INET6_ADDRSTRLEN> text{};
  switch (address->sa_family) {
    case AF_INET: {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
      inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
      return fmt::format("{}:{}", text.data(), ntohs(v4->sin_port));
    }
    case AF_INET6: {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
      inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
      return fmt::format("[{}]:{}", text.data(), ntohs(v6->sin6_port));
    }
    case AF_UNIX: {
      const auto* local = reinterpret_cast<const sockaddr_un*>(address);
      const size_t offset = offsetof(sockaddr_un, sun_path);
      if (endpoint.size() <= offset) return "unix:";
      const size_t size = endpoint.size() - offset;
      if (local->sun_path[0] == '\0') {
        return fmt::format("unix-abstract:{}",
                           std::string(local->sun_path + 1, size - 1));
      }
      return fmt::format(
          "unix:{}",
          std::string(local->sun_path, strnlen(local->sun_path, size)));
    }
    default:
      return "unknown";
  }
}

}  // namespace bandit::http2
