// SPDX-License-Identifier: Apache-2.0
#include "router/control/http_stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace bandit::control {
namespace {

bool Ready(int socket, short what) {  // NOLINT(google-runtime-int): poll's.
  constexpr int kPatienceMs = 5000;
  pollfd watched = {.fd = socket, .events = what, .revents = 0};
  return poll(&watched, 1, kPatienceMs) == 1;
}

using NameOf = int (*)(int, sockaddr*, socklen_t*);

void IpAndPort(NameOf name_of, int socket, std::string* ip, int* port) {
  sockaddr_storage address = {};
  socklen_t length = sizeof(address);
  if (name_of(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return;
  }
  std::array<char, INET6_ADDRSTRLEN> text = {};
  if (address.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address);
    inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    *port = ntohs(v6->sin6_port);
  } else {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    *port = ntohs(v4->sin_port);
  }
  *ip = text.data();
}

}  // namespace

bool HttpStream::is_readable() const {
  return has_more() || Ready(socket_, POLLIN);
}

bool HttpStream::is_writable() const { return Ready(socket_, POLLOUT); }

ssize_t HttpStream::read(char* bytes, size_t size) {
  if (!has_more()) {
    ssize_t got = 0;
    do {
      got = recv(socket_, buffer_.data(), buffer_.size(), 0);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) return got;
    next_ = 0;
    end_ = static_cast<size_t>(got);
  }
  const size_t taken = std::min(size, end_ - next_);
  std::memcpy(bytes, buffer_.data() + next_, taken);
  next_ += taken;
  return static_cast<ssize_t>(taken);
}

ssize_t HttpStream::write(const char* bytes, size_t size) {
  for (size_t sent = 0; sent < size;) {
    const ssize_t more = send(socket_, bytes + sent, size - sent, MSG_NOSIGNAL);
    if (more < 0 && errno == EINTR) continue;
    if (more <= 0) return -1;
    sent += static_cast<size_t>(more);
  }
  return static_cast<ssize_t>(size);
}

void HttpStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  IpAndPort(&getpeername, socket_, &ip, &port);
}

void HttpStream::get_local_ip_and_port(std::string& ip, int& port) const {
  IpAndPort(&getsockname, socket_, &ip, &port);
}

}  // namespace bandit::control
