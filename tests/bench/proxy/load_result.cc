// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/proxy/load_result.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace bandit::bench {
namespace {

constexpr std::array<const char*, kOutcomes> kNames = {
    "ok",    "http_status", "grpc_status", "length",
    "reset", "connection",  "unanswered"};

constexpr size_t kMostDescribed = 100;

// The smallest value with at least q of the sorted values at or below it.
double QuantileUs(const std::vector<int64_t>& sorted_ns, double q) {
  if (sorted_ns.empty()) return 0;
  const double rank = std::ceil(q * static_cast<double>(sorted_ns.size()));
  const size_t index = rank < 1 ? 0 : static_cast<size_t>(rank) - 1;
  return static_cast<double>(sorted_ns[index]) / 1e3;
}

}  // namespace

int64_t LoadResult::errors() const {
  int64_t sum = 0;
  for (size_t i = 1; i < kOutcomes; ++i) sum += outcomes_[i];
  return sum;
}

void LoadResult::Describe(double seconds, Outcome outcome,
                          std::string_view detail) {
  if (described_.size() >= kMostDescribed) return;
  described_.push_back(fmt::format("{:.3f} s: {} {}", seconds,
                                   kNames[static_cast<size_t>(outcome)],
                                   detail));
}

std::string LoadResult::Json(int64_t measured, double seconds) {
  std::sort(latencies_ns_.begin(), latencies_ns_.end());
  nlohmann::json json;
  json["requests"] = count(Outcome::kOk) + errors();
  json["errors"] = errors();
  for (size_t i = 0; i < kOutcomes; ++i) {
    json["outcomes"][kNames[i]] = outcomes_[i];
  }
  json["described"] = described_;
  json["seconds"] = seconds;
  json["per_second"] = static_cast<double>(measured) / seconds;
  json["latency_us"] = {{"p50", QuantileUs(latencies_ns_, 0.5)},
                        {"p90", QuantileUs(latencies_ns_, 0.9)},
                        {"p99", QuantileUs(latencies_ns_, 0.99)},
                        {"max", QuantileUs(latencies_ns_, 1)}};
  return json.dump();
}

}  // namespace bandit::bench
