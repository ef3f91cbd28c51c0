// SPDX-License-Identifier: Apache-2.0
// The model server of the proxy benchmark: answers each gRPC request with a
// message of the request's length, at once.
//
// Prints `ready port=N`. One thread. A request's `x-bench-delay-ms` is waited
// before the answer; --spoil makes wrong answers, for the test of the load
// generator. SIGUSR1 cuts every connection.
#include <CLI/CLI.hpp>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/bench/proxy/http2_connection.h"
#include "tests/bench/proxy/message.h"

namespace bandit::bench {
namespace {

struct Options {
  int port = 0;
  // Every spoil-th answer is wrong, in turn: a gRPC status that is not 0, a
  // message one byte short, a stream reset, an HTTP status 503. 0: none.
  int spoil = 0;
};

enum class Fault { kNone, kGrpcStatus, kShort, kReset, kHttpStatus };

// The faults to come, in a fixed order.
class FaultSource {
 public:
  explicit FaultSource(int every) : every_(every) {}
  Fault Next() {
    if (every_ == 0 || ++answers_ % every_ != 0) return Fault::kNone;
    return static_cast<Fault>(1 + faults_++ % 4);
  }

 private:
  int every_;
  int64_t answers_ = 0;
  int64_t faults_ = 0;
};

struct Stream {
  size_t received = 0;
  size_t sent = 0;
  size_t size = 0;  // Of the answer.
  int delay_ms = 0;
  Fault fault = Fault::kNone;
  std::unique_ptr<asio::steady_timer> timer;
};

class BackendConnection final : public Http2Connection {
 public:
  BackendConnection(asio::ip::tcp::socket socket, FaultSource* faults)
      : Http2Connection(std::move(socket), Side::kServer), faults_(faults) {}

 private:
  void OnStreamBegin(int32_t stream) override {
    if (!streams_.contains(stream)) {
      nghttp2_session_set_stream_user_data(session(), stream,
                                           &streams_[stream]);
    }
  }

  void OnHeader(int32_t stream, std::string_view name,
                std::string_view value) override {
    if (name == "x-bench-delay-ms") {
      std::from_chars(value.data(), value.data() + value.size(),
                      Of(stream)->delay_ms);
    }
  }

  void OnData(int32_t stream, size_t bytes) override {
    Of(stream)->received += bytes;
  }

  void OnMessageEnd(int32_t id) override {
    Stream* stream = Of(id);
    if (stream->delay_ms == 0) return Answer(id);
    stream->timer = std::make_unique<asio::steady_timer>(
        executor(), std::chrono::milliseconds(stream->delay_ms));
    stream->timer->async_wait(
        [this, self = shared_from_this(), id](asio::error_code error) {
          if (error) return;
          Answer(id);
          Flush();
        });
  }

  void OnStreamClose(int32_t stream, uint32_t) override {
    streams_.erase(stream);
  }

  void OnEnd() override { streams_.clear(); }

  Stream* Of(int32_t stream) {
    return static_cast<Stream*>(
        nghttp2_session_get_stream_user_data(session(), stream));
  }

  void Answer(int32_t id) {
    Stream* stream = Of(id);
    stream->fault = faults_->Next();
    if (stream->fault == Fault::kReset) {
      nghttp2_submit_rst_stream(session(), NGHTTP2_FLAG_NONE, id,
                                NGHTTP2_INTERNAL_ERROR);
      return;
    }
    stream->size = stream->received - (stream->fault == Fault::kShort ? 1 : 0);
    const nghttp2_nv headers[] = {
        Field(":status", stream->fault == Fault::kHttpStatus ? "503" : "200"),
        Field("content-type", "application/grpc"),
        Field("grpc-accept-encoding", "identity,deflate,gzip")};
    nghttp2_data_provider body;
    body.source.ptr = stream;
    body.read_callback = &BackendConnection::Fill;
    nghttp2_submit_response(session(), id, headers, std::size(headers), &body);
  }

  static ssize_t Fill(nghttp2_session* session, int32_t id, uint8_t* to,
                      size_t room, uint32_t* flags, nghttp2_data_source* source,
                      void*) {
    auto* stream = static_cast<Stream*>(source->ptr);
    const size_t size = std::min(room, stream->size - stream->sent);
    std::memset(to, 0, size);
    if (stream->sent == 0 && size >= kPrefix) {
      const size_t message = stream->size - kPrefix;
      for (size_t i = 0; i < 4; ++i) {
        to[1 + i] = static_cast<uint8_t>(message >> (24 - 8 * i));
      }
    }
    stream->sent += size;
    if (stream->sent == stream->size) {
      *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const nghttp2_nv trailers[] = {Field(
          "grpc-status", stream->fault == Fault::kGrpcStatus ? "13" : "0")};
      nghttp2_submit_trailer(session, id, trailers, std::size(trailers));
    }
    return static_cast<ssize_t>(size);
  }

  FaultSource* faults_;
  // Node-based: the session holds pointers to the values.
  std::unordered_map<int32_t, Stream> streams_;
};

class Backend {
 public:
  Backend(asio::io_context& context, const Options& options)
      : faults_(options.spoil),
        acceptor_(context, asio::ip::tcp::endpoint(
                               asio::ip::address_v4::loopback(),
                               static_cast<asio::ip::port_type>(options.port))),
        signals_(context, SIGUSR1) {
    Accept();
    WaitForCut();
  }

  int port() const { return acceptor_.local_endpoint().port(); }

 private:
  void Accept() {
    acceptor_.async_accept([this](asio::error_code error,
                                  asio::ip::tcp::socket socket) {
      if (!error) {
        auto connection =
            std::make_shared<BackendConnection>(std::move(socket), &faults_);
        connection->Start();
        std::erase_if(connections_,
                      [](const auto& held) { return held.expired(); });
        connections_.push_back(connection);
      }
      Accept();
    });
  }

  void WaitForCut() {
    signals_.async_wait([this](asio::error_code error, int) {
      if (error) return;
      for (const auto& held : std::exchange(connections_, {})) {
        if (const auto connection = held.lock()) connection->Close();
      }
      WaitForCut();
    });
  }

  FaultSource faults_;
  asio::ip::tcp::acceptor acceptor_;
  asio::signal_set signals_;
  std::vector<std::weak_ptr<BackendConnection>> connections_;
};

}  // namespace
}  // namespace bandit::bench

int main(int argc, char** argv) {
  bandit::bench::Options options;
  CLI::App app("Echo backend of the proxy benchmark");
  app.add_option("--port", options.port, "0: any");
  app.add_option("--spoil", options.spoil, "Every n-th answer is wrong");
  CLI11_PARSE(app, argc, argv);

  asio::io_context context(1);
  bandit::bench::Backend backend(context, options);
  std::printf("ready port=%d\n", backend.port());
  std::fflush(stdout);
  context.run();
  return 0;
}
