// SPDX-License-Identifier: Apache-2.0
// A raw TCP relay: what passing the bytes on costs when nobody looks at them.
//
// Prints `ready port=N`. One thread; each client connection gets its own
// connection to the backend.
#include <CLI/CLI.hpp>
#include <array>
#include <asio.hpp>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <utility>

namespace {

using asio::ip::tcp;

// Two sockets, and the bytes on their way from one to the other.
class Pair : public std::enable_shared_from_this<Pair> {
 public:
  Pair(tcp::socket client, tcp::socket server)
      : client_(std::move(client)), server_(std::move(server)) {}

  void Start(const tcp::endpoint& backend) {
    server_.async_connect(
        backend, [self = shared_from_this()](asio::error_code error) {
          if (error) return;
          self->client_.set_option(tcp::no_delay(true));
          self->server_.set_option(tcp::no_delay(true));
          self->Copy(self->client_, self->server_, self->up_);
          self->Copy(self->server_, self->client_, self->down_);
        });
  }

 private:
  using Buffer = std::array<uint8_t, 64 << 10>;

  void Copy(tcp::socket& from, tcp::socket& to, Buffer& buffer) {
    from.async_read_some(
        asio::buffer(buffer), [self = shared_from_this(), &from, &to, &buffer](
                                  asio::error_code error, size_t bytes) {
          if (error) return self->Close();
          asio::async_write(
              to, asio::buffer(buffer, bytes),
              [self, &from, &to, &buffer](asio::error_code failed, size_t) {
                if (failed) return self->Close();
                self->Copy(from, to, buffer);
              });
        });
  }

  void Close() {
    asio::error_code ignored;
    client_.close(ignored);
    server_.close(ignored);
  }

  tcp::socket client_;
  tcp::socket server_;
  Buffer up_;
  Buffer down_;
};

void Accept(asio::io_context& context, tcp::acceptor& acceptor,
            const tcp::endpoint& backend) {
  acceptor.async_accept([&context, &acceptor, backend](asio::error_code error,
                                                       tcp::socket client) {
    if (!error) {
      std::make_shared<Pair>(std::move(client), tcp::socket(context))
          ->Start(backend);
    }
    Accept(context, acceptor, backend);
  });
}

}  // namespace

int main(int argc, char** argv) {
  uint16_t port = 0;
  uint16_t backend_port = 0;
  CLI::App app("Raw TCP relay of the proxy benchmark");
  app.add_option("--port", port, "0: any");
  app.add_option("--backend", backend_port, "Port on 127.0.0.1")->required();
  CLI11_PARSE(app, argc, argv);

  asio::io_context context(1);
  const auto loopback = asio::ip::address_v4::loopback();
  tcp::acceptor acceptor(context, tcp::endpoint(loopback, port));
  std::printf("ready port=%d\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  Accept(context, acceptor, tcp::endpoint(loopback, backend_port));
  context.run();
  return 0;
}
