// SPDX-License-Identifier: Apache-2.0
#include "router/upstream/connector.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "asio/ip/tcp.hpp"
#include "asio/local/stream_protocol.hpp"
#include "asio/post.hpp"
#include "asio/steady_timer.hpp"
#include "router/http2/tls_transport.h"

namespace bandit::upstream {
namespace {

using Endpoint = asio::generic::stream_protocol::endpoint;

// One attempt; kept alive by its own handlers.
class Attempt : public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(asio::io_context& io,
          std::shared_ptr<const tls::BackendCredentials> tls,
          ConnectResult done)
      : resolver_(io),
        socket_(io),
        timer_(io),
        tls_(std::move(tls)),
        done_(std::move(done)) {}

  void Start(const Address& address, absl::Duration timeout) {
    host_ = address.server_name();
    timer_.expires_after(absl::ToChronoNanoseconds(timeout));
    timer_.async_wait([self = shared_from_this(), timeout](auto error) {
      if (!error) {
        self->Finish(fmt::format("no connection within {}",
                                 absl::FormatDuration(timeout)));
      }
    });
    switch (address.kind) {
      case Address::Kind::kUnix:
        endpoints_.emplace_back(
            asio::local::stream_protocol::endpoint(address.path));
        break;
      case Address::Kind::kUnixAbstract:
        endpoints_.emplace_back(asio::local::stream_protocol::endpoint(
            std::string(1, '\0') + address.path));
        break;
      case Address::Kind::kTcp:
        Resolve(address);
        return;
    }
    asio::post(socket_.get_executor(),
               [self = shared_from_this()] { self->Next({}); });
  }

 private:
  void Resolve(const Address& address) {
    resolver_.async_resolve(
        address.host, std::to_string(address.port),
        [self = shared_from_this()](
            std::error_code error,
            const asio::ip::tcp::resolver::results_type& results) {
          if (error) {
            self->Finish(fmt::format("name not resolved: {}", error.message()));
            return;
          }
          for (const auto& entry : results) {
            self->endpoints_.emplace_back(entry.endpoint());
          }
          self->Next({});
        });
  }

  // Tries the next endpoint; `last` is how the one before failed.
  void Next(std::error_code last) {
    if (!done_) return;
    if (next_ == endpoints_.size()) {
      Finish(last ? last.message() : "the name has no address");
      return;
    }
    std::error_code ignored;
    socket_.close(ignored);
    socket_.async_connect(endpoints_[next_++],
                          [self = shared_from_this()](std::error_code error) {
                            if (error) {
                              self->Next(error);
                            } else {
                              self->Secure();
                            }
                          });
  }

  // The socket is connected.
  void Secure() {
    if (!done_) return;
    if (tls_ == nullptr) {
      Succeed(http2::PlainTransport(std::move(socket_)));
      return;
    }
    const auto context = tls_->Get();
    if (!context.ok()) {
      Finish(fmt::format("TLS: {}", std::string(context.status().message())));
      return;
    }
    const std::string endpoint = http2::EndpointName(endpoints_[next_ - 1]);
    secured_ = std::make_unique<http2::TlsTransport>(
        std::move(socket_), (*context)->Connect(host_, endpoint), nullptr);
    Shake();
  }

  void Shake() {
    if (!done_) return;
    switch (secured_->Handshake().state) {
      case http2::Transport::Result::State::kDone:
        Succeed(std::move(secured_));
        break;
      case http2::Transport::Result::State::kWouldBlock:
        secured_->WaitHandshake([self = shared_from_this()] { self->Shake(); });
        break;
      case http2::Transport::Result::State::kClosed:
        Finish(fmt::format("TLS: {}", secured_->problem()));
        break;
    }
  }

  void Succeed(std::unique_ptr<http2::Transport> transport) {
    ConnectResult done = std::exchange(done_, nullptr);
    timer_.cancel();
    done(std::move(transport), "");
  }

  void Finish(const std::string& error) {
    if (!done_) return;
    ConnectResult done = std::exchange(done_, nullptr);
    timer_.cancel();
    resolver_.cancel();
    std::error_code ignored;
    socket_.close(ignored);
    if (secured_ != nullptr) secured_->Close();
    done(nullptr, error);
  }

  asio::ip::tcp::resolver resolver_;
  http2::Transport::Socket socket_;
  asio::steady_timer timer_;
  std::shared_ptr<const tls::BackendCredentials> tls_;
  std::unique_ptr<http2::TlsTransport> secured_;  // While it shakes hands.
  std::string host_;
  ConnectResult done_;
  std::vector<Endpoint> endpoints_;
  size_t next_ = 0;
};

}  // namespace

void Connect(asio::io_context& io, const Address& address,
             absl::Duration timeout,
             std::shared_ptr<const tls::BackendCredentials> tls,
             ConnectResult done) {
  std::make_shared<Attempt>(io, std::move(tls), std::move(done))
      ->Start(address, timeout);
}

}  // namespace bandit::upstream
