// SPDX-License-Identifier: Apache-2.0
// What a worker tells of a backend, for /metrics.
#ifndef BANDIT_ROUTER_LEARNING_BACKEND_COUNTS_H_
#define BANDIT_ROUTER_LEARNING_BACKEND_COUNTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bandit::learning {

// All of it is a sum: workers report by how much a figure has changed, and what
// they have reported adds up to how things are.
struct BackendCounts {
  // The states an endpoint can be in, as the metric's label names them.
  static constexpr std::array<std::string_view, 5> kStates = {
      "ready", "connecting", "backoff", "unhealthy", "ejected"};

  std::array<int64_t, kStates.size()> endpoints{};
  int64_t connections = 0;
  uint64_t ejections = 0;
  uint64_t checks_passed = 0;
  uint64_t checks_failed = 0;
  uint64_t circuit_open = 0;

  void Merge(const BackendCounts& other) {
    for (size_t i = 0; i < endpoints.size(); ++i) {
      endpoints[i] += other.endpoints[i];
    }
    connections += other.connections;
    ejections += other.ejections;
    checks_passed += other.checks_passed;
    checks_failed += other.checks_failed;
    circuit_open += other.circuit_open;
  }

  // By how much this differs from `before`.
  BackendCounts Since(const BackendCounts& before) const {
    BackendCounts change = *this;
    for (size_t i = 0; i < endpoints.size(); ++i) {
      change.endpoints[i] -= before.endpoints[i];
    }
    change.connections -= before.connections;
    change.ejections -= before.ejections;
    change.checks_passed -= before.checks_passed;
    change.checks_failed -= before.checks_failed;
    change.circuit_open -= before.circuit_open;
    return change;
  }

  friend bool operator==(const BackendCounts&, const BackendCounts&) = default;
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_BACKEND_COUNTS_H_
