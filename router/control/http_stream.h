// SPDX-License-Identifier: Apache-2.0
// One socket, as cpp-httplib reads requests from and writes answers to.
#ifndef BANDIT_ROUTER_CONTROL_HTTP_STREAM_H_
#define BANDIT_ROUTER_CONTROL_HTTP_STREAM_H_

#include <httplib.h>

#include <array>
#include <string>

namespace bandit::control {

// Blocking, for as long as the socket's own timeouts allow.
// Thread-safety: none.   Ownership: borrows the socket.
class HttpStream final : public httplib::Stream {
 public:
  explicit HttpStream(int socket) : socket_(socket) {}

  // Bytes that came with a request and are not of it.
  bool has_more() const { return next_ < end_; }

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* bytes, size_t size) override;
  // All of it, or -1.
  ssize_t write(const char* bytes, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  const int socket_;
  // Headers are read byte by byte; a system call for each would be too much.
  std::array<char, 4096> buffer_;
  size_t next_ = 0;
  size_t end_ = 0;
};

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_HTTP_STREAM_H_
