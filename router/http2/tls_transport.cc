// SPDX-License-Identifier: Apache-2.0
#include "router/http2/tls_transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "asio/ip/tcp.hpp"
#include "asio/post.hpp"

namespace bandit::http2 {
namespace {

using Result = Transport::Result;
using State = Transport::Result::State;

// What a TLS record carries at most.
constexpr size_t kRecord = 16384;

constexpr std::string_view kHttp1Answer =
    "HTTP/1.1 400 Bad Request\r\n"
    "content-type: text/plain\r\n"
    "content-length: 46\r\n"
    "connection: close\r\n"
    "\r\n"
    "This port speaks HTTP/2 over TLS, no cleartext";
class TlsCategory : public std::error_category {
 public:
  static constexpr int kHandshake = 1;

  const char* name() const noexcept override { return "tls"; }
  std::string message(int value) const override {
    if (value == kHandshake) return "the TLS handshake failed";
    return "TLS: " + tls::ErrorText(static_cast<unsigned int>(value));
  }
};

std::error_code TlsError(int value) {
  static const TlsCategory category;
  return {value, category};
}

Result Closed(std::error_code error) { return {State::kClosed, 0, error}; }
Result Blocked() { return {State::kWouldBlock, 0, {}}; }

}  // namespace

// A BIO over a Wire: unlike OpenSSL's own for sockets it raises no SIGPIPE and
// makes no call that finds nothing.
struct WireBio {
  using Wire = TlsTransport::Wire;

  static Wire& Of(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

  static int Read(BIO* bio, char* data, int size) {
    Wire& wire = Of(bio);
    BIO_clear_retry_flags(bio);
    if (wire.drained) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const ssize_t n = ::recv(wire.socket, data, static_cast<size_t>(size), 0);
    if (n > 0) {
      wire.drained = n < size;
      if (wire.first_size < wire.first.size()) Remember(wire, data, n);
      return static_cast<int>(n);
    }
    if (n == 0) {
      wire.ended = true;
      return 0;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
      wire.drained = true;
      BIO_set_retry_read(bio);
    } else {
      wire.error = errno;
    }
    return -1;
  }

  static int Write(BIO* bio, const char* data, int size) {
    Wire& wire = Of(bio);
    BIO_clear_retry_flags(bio);
    const ssize_t n =
        ::send(wire.socket, data, static_cast<size_t>(size), MSG_NOSIGNAL);
    if (n >= 0) return static_cast<int>(n);
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
      BIO_set_retry_write(bio);
    } else {
      wire.error = errno;
    }
    return -1;
  }

  static long Control(BIO* bio, int command, long, void*) {
    switch (command) {
      case BIO_CTRL_FLUSH:
        return 1;
      case BIO_CTRL_EOF:
        return Of(bio).ended ? 1 : 0;
      default:
        return 0;
    }
  }

  static void Remember(Wire& wire, const char* data, ssize_t size) {
    const size_t more = std::min(wire.first.size() - wire.first_size,
                                 static_cast<size_t>(size));
    std::memcpy(wire.first.data() + wire.first_size, data, more);
    wire.first_size += more;
  }

  static BIO* New(Wire* wire) {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* m =
          BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
      BIO_meth_set_read(m, &WireBio::Read);
      BIO_meth_set_write(m, &WireBio::Write);
      BIO_meth_set_ctrl(m, &WireBio::Control);
      return m;
    }();
    BIO* bio = BIO_new(method);
    BIO_set_data(bio, wire);
    BIO_set_init(bio, 1);
    return bio;
  }
};

TlsTransport::TlsTransport(Socket socket,
                           std::unique_ptr<tls::Connection> connection,
                           OnFailure on_failure)
    : socket_(std::move(socket)),
      connection_(std::move(connection)),
      on_failure_(std::move(on_failure)) {
  std::error_code ignored;
  socket_.non_blocking(true, ignored);
  // Fails on Unix sockets, which have no delay to switch off.
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  wire_.socket = socket_.native_handle();
  BIO* bio = WireBio::New(&wire_);
  SSL_set_bio(connection_->ssl(), bio, bio);  // One reference serves both.
}

TlsTransport::~TlsTransport() { *open_ = false; }

Result TlsTransport::Handshake() {
  if (failure_.has_value()) return *failure_;
  if (established_) return {};
  wire_.drained = false;
  const int result = SSL_do_handshake(connection_->ssl());
  if (result != 1) {
    const Result failed = Failure(result, &handshake_wants_);
    if (failed.state == State::kWouldBlock) return failed;
    if (failed.error && failed.error.category() == std::system_category()) {
      return FailHandshake(failed.error.message());
    }
    if (!failed.error) return FailHandshake("the peer closed the connection");
    return FailHandshake(problem_);
  }
  const absl::Status http2 = connection_->Established();
  if (!http2.ok()) return FailHandshake(std::string(http2.message()));
  established_ = true;
  read_pending_ = true;  // Bytes may have come with the last of the handshake.
  return {};
}

Result TlsTransport::FailHandshake(std::string problem) {
  problem_ = std::move(problem);
  if (connection_->server()) AnswerPlaintext();
  failure_ = Closed(TlsError(TlsCategory::kHandshake));
  if (on_failure_) on_failure_(peer(), problem_);
  return *failure_;
}

void TlsTransport::AnswerPlaintext() {
  const std::string_view first(wire_.first.data(), wire_.first_size);
  const bool http1 = first == "GET " || first == "POST" || first == "HEAD" ||
                     first == "PUT " || first == "OPTI" || first == "DELE";
  if (!http1 && first != "PRI ") return;
  problem_ = "the client speaks no TLS";
  // An HTTP/2 client is told by the end alone: after a SETTINGS frame it would
  // take the connection for a good one, and connect again and again.
  if (!http1) return;
  // What is lost here is but an explanation. What the client still sends is
  // taken, else the kernel would answer with a reset that takes the
  // explanation with it.
  (void)::send(wire_.socket, kHttp1Answer.data(), kHttp1Answer.size(),
               MSG_NOSIGNAL);
  ::shutdown(wire_.socket, SHUT_WR);
  std::array<char, 4096> rest;
  for (int i = 0; i < 16; ++i) {
    if (::recv(wire_.socket, rest.data(), rest.size(), 0) <= 0) break;
  }
}

Result TlsTransport::Failure(int result, Socket::wait_type* wants) {
  switch (SSL_get_error(connection_->ssl(), result)) {
    case SSL_ERROR_WANT_READ:
      *wants = Socket::wait_read;
      return Blocked();
    case SSL_ERROR_WANT_WRITE:
      *wants = Socket::wait_write;
      return Blocked();
    case SSL_ERROR_ZERO_RETURN:
      return Closed({});
    default:
      break;
  }
  if (wire_.error != 0) {
    ERR_clear_error();
    return Closed({wire_.error, std::system_category()});
  }
  const unsigned long error = ERR_peek_last_error();
  problem_ = connection_->Problem();
  if (error == 0) return Closed({});
  return Closed(TlsError(static_cast<int>(error)));
}

Result TlsTransport::Read(uint8_t* data, size_t size) {
  if (!established_) {
    const Result shaken = Handshake();
    if (shaken.state != State::kDone) return shaken;
  }
  if (failure_.has_value()) return *failure_;
  wire_.drained = false;
  read_pending_ = false;
  SSL* const ssl = connection_->ssl();
  size_t total = 0;
  while (total < size) {
    size_t n = 0;
    const int result = SSL_read_ex(ssl, data + total, size - total, &n);
    if (result == 1) {
      total += n;
      // All that there was has been decrypted: another call would say so.
      if (wire_.drained && SSL_has_pending(ssl) == 0) break;
      continue;
    }
    const Result failed = Failure(result, &read_wants_);
    if (failed.state == State::kClosed) failure_ = failed;
    if (total == 0) return failed;
    read_pending_ = failed.state == State::kClosed;
    return {State::kDone, total, {}};
  }
  read_pending_ = total == size;
  read_wants_ = Socket::wait_read;
  return {State::kDone, total, {}};
}

Result TlsTransport::WriteRecord(const uint8_t* data, size_t size) {
  size_t written = 0;
  const int result = SSL_write_ex(connection_->ssl(), data, size, &written);
  if (result == 1) {
    begun_ = 0;
    return {State::kDone, written, {}};
  }
  Socket::wait_type wants = Socket::wait_write;
  const Result failed = Failure(result, &wants);
  if (failed.state == State::kClosed) {
    failure_ = failed;
  } else {
    begun_ = size;
  }
  return failed;
}

Result TlsTransport::Write(const iovec* vectors, int count) {
  if (!established_) {
    const Result shaken = Handshake();
    if (shaken.state != State::kDone) return shaken;
    // Who waits to read need not wait for the socket: see read_pending_.
    std::error_code ignored;
    socket_.cancel(ignored);
  }
  if (failure_.has_value()) return *failure_;
  // Nothing in it outlives the call.
  static thread_local std::array<uint8_t, kRecord> gathered;
  size_t total = 0;
  size_t offset = 0;  // Into *vectors.
  while (count > 0) {
    const uint8_t* data = static_cast<uint8_t*>(vectors->iov_base) + offset;
    size_t size = vectors->iov_len - offset;
    const size_t most = begun_ != 0 ? begun_ : kRecord;
    if (size >= most || count == 1) {
      size = std::min(size, most);
      offset += size;
    } else {
      size = 0;
      while (count > 0 && size < most) {
        const size_t n = std::min(most - size, vectors->iov_len - offset);
        std::memcpy(gathered.data() + size,
                    static_cast<uint8_t*>(vectors->iov_base) + offset, n);
        size += n;
        offset += n;
        if (offset == vectors->iov_len) {
          ++vectors;
          --count;
          offset = 0;
        }
      }
      data = gathered.data();
    }
    const Result result = WriteRecord(data, size);
    if (result.state != State::kDone) {
      return total > 0 ? Result{State::kDone, total, {}} : result;
    }
    total += result.size;
    if (count > 0 && offset == vectors->iov_len) {
      ++vectors;
      --count;
      offset = 0;
    }
  }
  return {State::kDone, total, {}};
}

void TlsTransport::WaitHandshake(std::function<void()> ready) {
  Wait(handshake_wants_, std::move(ready));
}

void TlsTransport::WaitRead(std::function<void()> ready) {
  if (!established_) {
    Wait(handshake_wants_, std::move(ready));
  } else if (!read_pending_) {
    Wait(read_wants_, std::move(ready));
  } else {
    asio::post(socket_.get_executor(),
               [open = open_, ready = std::move(ready)] {
                 if (*open) ready();
               });
  }
}

void TlsTransport::WaitWrite(std::function<void()> ready) {
  Wait(established_ ? Socket::wait_write : handshake_wants_, std::move(ready));
}

void TlsTransport::Wait(Socket::wait_type type, std::function<void()> ready) {
  // Aborted, too: Write has made progress that concerns who reads.
  socket_.async_wait(type,
                     [open = open_, ready = std::move(ready)](std::error_code) {
                       if (*open) ready();
                     });
}

void TlsTransport::SayEnd() {
  SSL* const ssl = connection_->ssl();
  if (!established_ || failure_.has_value() || begun_ != 0 ||
      (SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN) != 0) {
    return;
  }
  SSL_shutdown(ssl);
  ERR_clear_error();
}

void TlsTransport::Shutdown() {
  SayEnd();
  std::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void TlsTransport::Close() {
  *open_ = false;
  SayEnd();
  std::error_code ignored;
  socket_.close(ignored);
}

std::string TlsTransport::peer() const {
  std::error_code error;
  const auto endpoint = socket_.remote_endpoint(error);
  return error ? "unknown" : EndpointName(endpoint);
}

}  // namespace bandit::http2
