// SPDX-License-Identifier: Apache-2.0
// The client of the proxy benchmark: gRPC-shaped unary requests over HTTP/2,
// each answer checked.
//
// Closed loop: a fixed number of requests is always under way. Open loop:
// requests are due at fixed times whatever became of the earlier ones, and
// latency counts from the time a request was due, so that a stall shows in
// all the requests it delays (no coordinated omission).
#ifndef BANDIT_TESTS_BENCH_PROXY_LOAD_GENERATOR_H_
#define BANDIT_TESTS_BENCH_PROXY_LOAD_GENERATOR_H_

#include <asio.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/proxy/load_result.h"

namespace bandit::bench {

using Clock = std::chrono::steady_clock;

struct LoadOptions {
  uint16_t port = 0;  // On 127.0.0.1.
  int connections = 1;
  int streams = 1;  // Under way on each connection; closed loop only.
  size_t bytes = 300;
  double rate = 0;  // Requests a second, all connections; 0: closed loop.
  double warmup_seconds = 0.2;
  double seconds = 2;
  int delay_ms = 0;          // Asks the backend to wait so long.
  int deadline_ms = 0;       // Sent as grpc-timeout; 0: none.
  double grace_seconds = 3;  // For the last answers after the last request.
  uint64_t seed = 1;
};

class LoadConnection;

// Thread-safety: one thread, that of the context.
class LoadGenerator {
 public:
  LoadGenerator(asio::io_context& context, const LoadOptions& options);
  ~LoadGenerator();

  // Connects, runs, and returns when each request has an outcome. Fails with
  // false if a connection cannot be made.
  bool Run();

  LoadResult& result() { return result_; }
  // Requests answered after the warm-up, and the time that took.
  int64_t measured() const { return measured_; }
  double measured_seconds() const { return measured_seconds_; }

  // For the connections.
  const LoadOptions& options() const { return options_; }
  const std::string& message() const { return message_; }
  // True while new requests may begin.
  bool sending() const { return sending_; }
  uint64_t RandomUser() { return random_() % 1'000'000; }
  void Began() { ++under_way_; }
  // `detail`: what else is known of an error, for people.
  void Ended(Outcome outcome, Clock::time_point due,
             std::string_view detail = "");

 private:
  void SendDue();
  void BeginMeasuring();
  void StopSending();

  asio::io_context& context_;
  const LoadOptions options_;
  const std::string message_;
  std::mt19937_64 random_;
  std::vector<std::shared_ptr<LoadConnection>> connections_;
  LoadResult result_;
  asio::steady_timer due_timer_;
  asio::steady_timer phase_timer_;
  Clock::time_point start_;
  Clock::time_point measure_from_;
  int64_t sent_due_ = 0;
  int64_t under_way_ = 0;
  int64_t measured_ = 0;
  double measured_seconds_ = 0;
  bool sending_ = true;
  bool measuring_ = false;
};

}  // namespace bandit::bench

#endif  // BANDIT_TESTS_BENCH_PROXY_LOAD_GENERATOR_H_
