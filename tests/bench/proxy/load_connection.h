// SPDX-License-Identifier: Apache-2.0
// One connection of the load generator and the requests on it.
#ifndef BANDIT_TESTS_BENCH_PROXY_LOAD_CONNECTION_H_
#define BANDIT_TESTS_BENCH_PROXY_LOAD_CONNECTION_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/proxy/http2_connection.h"
#include "tests/bench/proxy/load_generator.h"

namespace bandit::bench {

class LoadConnection final : public Http2Connection {
 public:
  // Ownership: borrows the generator, which outlives the connection.
  LoadConnection(asio::ip::tcp::socket socket, LoadGenerator* generator);

  // Begins a request that was due at `due`; Flush() sends it. If the
  // connection has ended, the request ends at once with kConnection.
  void Send(Clock::time_point due);

 private:
  struct Request {
    Clock::time_point due;
    size_t sent = 0;
    size_t received = 0;
    bool http_ok = false;
    bool grpc_ok = false;
    std::string grpc_status;
    std::string grpc_message;
  };

  void OnHeader(int32_t stream, std::string_view name,
                std::string_view value) override;
  void OnData(int32_t stream, size_t bytes) override;
  void OnStreamClose(int32_t stream, uint32_t error_code) override;
  void OnEnd() override;

  Request* Of(int32_t stream);
  Outcome Judge(const Request& request, uint32_t error_code) const;
  static ssize_t Fill(nghttp2_session* session, int32_t stream, uint8_t* to,
                      size_t room, uint32_t* flags, nghttp2_data_source* source,
                      void* self);

  LoadGenerator* generator_;
  std::string authority_;
  std::string delay_;
  std::string timeout_;
  // All requests made, and those not under way.
  std::vector<std::unique_ptr<Request>> requests_;
  std::vector<Request*> idle_;
  bool ended_ = false;
};

}  // namespace bandit::bench

#endif  // BANDIT_TESTS_BENCH_PROXY_LOAD_CONNECTION_H_
