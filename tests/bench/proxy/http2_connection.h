// SPDX-License-Identifier: Apache-2.0
// One HTTP/2 connection of the benchmark's client or server.
//
// Independent of the router's own HTTP/2 room on purpose: the load that
// measures the router must not share its mistakes.
#ifndef BANDIT_TESTS_BENCH_PROXY_HTTP2_CONNECTION_H_
#define BANDIT_TESTS_BENCH_PROXY_HTTP2_CONNECTION_H_

#include <nghttp2/nghttp2.h>

#include <array>
#include <asio.hpp>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace bandit::bench {

enum class Side { kClient, kServer };

// An nghttp2 session over a TCP socket.
// Thread-safety: one thread, that of the socket's io_context.
// Ownership: held by shared_ptr; lives at least until OnEnd.
class Http2Connection : public std::enable_shared_from_this<Http2Connection> {
 public:
  Http2Connection(asio::ip::tcp::socket socket, Side side);
  virtual ~Http2Connection();
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;

  // Sends the preface and begins to read.
  void Start();
  // Sends what the session has to send.
  void Flush();
  // Ends the connection; OnEnd follows if it has not been called.
  void Close();

 protected:
  nghttp2_session* session() { return session_; }
  const asio::any_io_executor& executor() { return executor_; }

  virtual void OnStreamBegin(int32_t stream) {}
  virtual void OnHeader(int32_t stream, std::string_view name,
                        std::string_view value) = 0;
  virtual void OnData(int32_t stream, size_t bytes) = 0;
  virtual void OnMessageEnd(int32_t stream) {}
  virtual void OnStreamClose(int32_t stream, uint32_t error_code) = 0;
  // Called once, when the connection has ended for whatever reason.
  virtual void OnEnd() {}

 private:
  void Read();
  void Received(size_t bytes);
  // Moves frames from the session to `out_`; false if the session is broken.
  bool Gather();
  void WaitWritable();

  asio::ip::tcp::socket socket_;
  asio::any_io_executor executor_;
  nghttp2_session* session_ = nullptr;
  std::array<uint8_t, 64 << 10> in_;
  std::vector<uint8_t> out_;
  size_t out_sent_ = 0;
  bool waiting_to_write_ = false;
  bool ended_ = false;
};

}  // namespace bandit::bench

#endif  // BANDIT_TESTS_BENCH_PROXY_HTTP2_CONNECTION_H_
