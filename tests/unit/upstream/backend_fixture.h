// SPDX-License-Identifier: Apache-2.0
// A loop with a clock that the test moves, for tests of a backend against
// servers on the same loop.
#ifndef BANDIT_TESTS_UNIT_UPSTREAM_BACKEND_FIXTURE_H_
#define BANDIT_TESTS_UNIT_UPSTREAM_BACKEND_FIXTURE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "router/upstream/backend.h"
#include "tests/unit/upstream/fake_resolver.h"
#include "tests/unit/upstream/fake_server.h"

namespace bandit::upstream {

class BackendFixture : public ::testing::Test {
 protected:
  static constexpr int64_t kMillisecond = 1'000'000;
  static constexpr int64_t kSecond = 1'000'000'000;

  BackendOptions Options(std::vector<Address> addresses) {
    BackendOptions options;
    options.name = "b";
    options.addresses = std::move(addresses);
    options.resolver = resolver.resolver();
    return options;
  }

  // Runs the loop until `done`, at most ten seconds.
  template <typename Done>
  void RunUntil(Done done) {
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done() && std::chrono::steady_clock::now() < end) {
      loop.io().run_one_for(std::chrono::milliseconds(50));
      loop.io().restart();
    }
    ASSERT_TRUE(done());
  }

  // Runs what is ready.
  void Settle() {
    while (loop.io().poll() > 0) loop.io().restart();
    loop.io().restart();
  }

  void Advance(Backend& backend, int64_t ns) {
    clock += ns;
    loop.UpdateTime();
    backend.Tick();
  }

  // Warm, and `ready` endpoints are connected.
  void Connect(Backend& backend, int64_t ready) {
    backend.Warm();
    RunUntil([&] { return ReadyCount(backend) == ready; });
  }

  static int64_t InState(const Backend& backend, Endpoint::State state) {
    return backend.gauges().endpoints[static_cast<size_t>(state)];
  }
  static int64_t ReadyCount(const Backend& backend) {
    return InState(backend, Endpoint::State::kReady);
  }

  // A call that has been answered, given back as `outcome`.
  void Call(Backend& backend, Backend::Outcome outcome) {
    const Backend::Lease lease = backend.Acquire();
    ASSERT_TRUE(lease);
    backend.Release(lease, outcome);
  }

  // A port that nobody listens on.
  Address Unused() {
    asio::ip::tcp::acceptor taken(loop.io(),
                                  {asio::ip::make_address("127.0.0.1"), 0});
    return {.host = "127.0.0.1", .port = taken.local_endpoint().port()};
  }

  int64_t clock = 1'000 * kSecond;
  http2::Loop loop{[this] { return clock; }};
  FakeResolver resolver;
};

}  // namespace bandit::upstream

#endif  // BANDIT_TESTS_UNIT_UPSTREAM_BACKEND_FIXTURE_H_
