// SPDX-License-Identifier: Apache-2.0
// What a load run saw: answers by outcome, and their latencies.
#ifndef BANDIT_TESTS_BENCH_PROXY_LOAD_RESULT_H_
#define BANDIT_TESTS_BENCH_PROXY_LOAD_RESULT_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bandit::bench {

// How a request ended. All but kOk are errors.
enum class Outcome {
  kOk,
  kHttpStatus,  // :status other than 200.
  kGrpcStatus,  // grpc-status absent or other than 0.
  kLength,      // The message has not the length that was sent.
  kReset,       // The stream was reset.
  kConnection,  // The connection ended first.
  kUnanswered,  // Nothing came within the grace period after the run.
};
inline constexpr size_t kOutcomes = 7;

class LoadResult {
 public:
  void Count(Outcome outcome) { ++outcomes_[static_cast<size_t>(outcome)]; }
  void RecordLatency(int64_t ns) { latencies_ns_.push_back(ns); }
  // Keeps the first errors in words, `seconds` after the start.
  void Describe(double seconds, Outcome outcome, std::string_view detail);

  int64_t count(Outcome outcome) const {
    return outcomes_[static_cast<size_t>(outcome)];
  }
  int64_t errors() const;
  // One line of JSON. `measured` requests ended within `seconds`.
  std::string Json(int64_t measured, double seconds);

 private:
  std::array<int64_t, kOutcomes> outcomes_{};
  std::vector<int64_t> latencies_ns_;
  std::vector<std::string> described_;
};

}  // namespace bandit::bench

#endif  // BANDIT_TESTS_BENCH_PROXY_LOAD_RESULT_H_
