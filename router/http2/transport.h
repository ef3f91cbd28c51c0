// SPDX-License-Identifier: Apache-2.0
// A connected byte stream: a TCP or Unix socket (TLS wraps one).
//
// Reads and writes never block and are done when the session wants them, not
// when a buffer was handed in beforehand, so an idle connection holds no
// memory for bytes.
#ifndef BANDIT_ROUTER_HTTP2_TRANSPORT_H_
#define BANDIT_ROUTER_HTTP2_TRANSPORT_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

#include "asio/generic/stream_protocol.hpp"

namespace bandit::http2 {

// Thread-safety: none.
class Transport {
 public:
  using Socket = asio::generic::stream_protocol::socket;

  struct Result {
    enum class State { kDone, kWouldBlock, kClosed };
    State state = State::kDone;
    size_t size = 0;        // kDone: bytes read or written.
    std::error_code error;  // kClosed: why; none at a clean end.
  };

  virtual ~Transport() = default;

  virtual Result Read(uint8_t* data, size_t size) = 0;
  virtual Result Write(const iovec* vectors, int count) = 0;

  // Calls `ready` once when Read or Write may go on; not after Close.
  virtual void WaitRead(std::function<void()> ready) = 0;
  virtual void WaitWrite(std::function<void()> ready) = 0;

  // Nothing more will be written; what was is still sent. Read goes on.
  virtual void Shutdown() {}
  virtual void Close() = 0;

  // "127.0.0.1:8080" or "unix:/path" of the other side.
  virtual std::string peer() const = 0;
};

// REQUIRES: `socket` is connected.
std::unique_ptr<Transport> PlainTransport(Transport::Socket socket);

// "127.0.0.1:80", "[::1]:80", "unix:/path", "unix-abstract:name".
std::string EndpointName(
    const asio::generic::stream_protocol::endpoint& endpoint);

}  // namespace bandit::http2

#endif  // BANDIT_ROUTER_HTTP2_TRANSPORT_H_
