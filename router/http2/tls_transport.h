// SPDX-License-Identifier: Apache-2.0
// TLS over a socket: records are read from the socket and decrypted straight
// into the session's block, small slices are gathered into one record.
#ifndef BANDIT_ROUTER_HTTP2_TLS_TRANSPORT_H_
#define BANDIT_ROUTER_HTTP2_TLS_TRANSPORT_H_

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "router/http2/transport.h"
#include "router/tls/context.h"

namespace bandit::http2 {

// The handshake is a part of the first reads and writes, or is made by itself
// with Handshake.
// Thread-safety: none.
class TlsTransport : public Transport {
 public:
  // Why a handshake failed, in words, and with whom.
  using OnFailure =
      std::function<void(const std::string& peer, const std::string& problem)>;

  // REQUIRES: `socket` is connected. `on_failure` may be empty.
  TlsTransport(Socket socket, std::unique_ptr<tls::Connection> connection,
               OnFailure on_failure);
  ~TlsTransport() override;

  // Goes on with the handshake. kDone: it is over; kWouldBlock: to be called
  // again after WaitHandshake; kClosed: it failed, as problem() says.
  Result Handshake();
  void WaitHandshake(std::function<void()> ready);
  const std::string& problem() const { return problem_; }

  Result Read(uint8_t* data, size_t size) override;
  Result Write(const iovec* vectors, int count) override;
  void WaitRead(std::function<void()> ready) override;
  void WaitWrite(std::function<void()> ready) override;
  void Shutdown() override;
  void Close() override;
  std::string peer() const override;

 private:
  // What OpenSSL reads from and writes to.
  struct Wire {
    int socket = -1;
    // The last read took all there was: the next one would find nothing.
    bool drained = false;
    bool ended = false;  // The peer will send no more.
    int error = 0;       // Of the socket, errno.
    // The first bytes that came, to tell who is there.
    std::array<char, 4> first{};
    size_t first_size = 0;
  };
  friend struct WireBio;

  // What `result`, of a call to OpenSSL that did not succeed, means.
  Result Failure(int result, Socket::wait_type* wants);
  Result FailHandshake(std::string problem);
  // In words that a plaintext client understands, if it is one.
  void AnswerPlaintext();
  // Says that the end is meant, once, if there is room for it.
  void SayEnd();
  void Wait(Socket::wait_type type, std::function<void()> ready);
  // One record of at most `size` bytes.
  Result WriteRecord(const uint8_t* data, size_t size);

  Socket socket_;
  Wire wire_;
  std::unique_ptr<tls::Connection> connection_;
  OnFailure on_failure_;
  std::string problem_;
  bool established_ = false;
  // Something went wrong that ends the connection: what every call says.
  std::optional<Result> failure_;
  Socket::wait_type handshake_wants_ = Socket::wait_read;
  Socket::wait_type read_wants_ = Socket::wait_read;
  // There may be more to read without another byte from the socket.
  bool read_pending_ = false;
  // Size of the record that OpenSSL has begun to write; it must be given the
  // same bytes again.
  size_t begun_ = 0;
  // Waits look here whether the transport is still open.
  std::shared_ptr<bool> open_ = std::make_shared<bool>(true);
};

}  // namespace bandit::http2

#endif  // BANDIT_ROUTER_HTTP2_TLS_TRANSPORT_H_
