// SPDX-License-Identifier: Apache-2.0
#include "router/upstream/backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "asio/ip/tcp.hpp"

namespace bandit::upstream {
namespace {

using asio::ip::tcp;
using ::testing::HasSubstr;

class BackendTest : public ::testing::Test {
 protected:
  Address ListenerAddress() const {
    return {.host = "127.0.0.1", .port = listener.local_endpoint().port()};
  }

  static BackendOptions Options(std::vector<Address> addresses) {
    return {.name = "b", .addresses = std::move(addresses)};
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

  // A port that nobody listens on.
  Address Unused() {
    tcp::acceptor taken(loop.io(), {asio::ip::make_address("127.0.0.1"), 0});
    return {.host = "127.0.0.1", .port = taken.local_endpoint().port()};
  }

  int64_t clock = 1'000'000'000;
  http2::Loop loop{[this] { return clock; }};
  tcp::acceptor listener{loop.io(), {asio::ip::make_address("127.0.0.1"), 0}};
};

TEST_F(BackendTest, ConnectsOnceAndKeepsTheConnection) {
  Backend backend(loop, Options({ListenerAddress()}));
  http2::Session* session = backend.Acquire().session;
  ASSERT_NE(session, nullptr);
  EXPECT_FALSE(backend.connected());
  RunUntil([&] { return backend.connected(); });
  EXPECT_EQ(backend.Acquire().session, session);
}

TEST_F(BackendTest, BacksOffLongerAfterEachFailure) {
  Backend backend(loop, Options({Unused()}));
  int64_t waited = 0;
  for (int failure = 0; failure < 4; ++failure) {
    http2::Session* session = backend.Acquire().session;
    ASSERT_NE(session, nullptr) << failure;
    const auto held = session->shared_from_this();
    RunUntil([&] { return session->dead(); });
    EXPECT_THAT(backend.last_error(), HasSubstr("Connection refused"));
    // Nothing is tried until the back-off is over.
    EXPECT_EQ(backend.Acquire().session, nullptr);
    int64_t step = 0;
    while (step < 10'000'000'000) {
      step += 10'000'000;
      clock += 10'000'000;
      loop.UpdateTime();
      if (backend.Acquire().session != nullptr) break;
    }
    EXPECT_GT(step, waited);
    waited = step;
    // That Acquire began the next attempt; let it fail too.
    RunUntil([&] { return backend.Acquire().session == nullptr; });
    clock += 10'000'000'000;
    loop.UpdateTime();
  }
}

TEST_F(BackendTest, TheOtherAddressServesWhileOneIsDown) {
  Backend backend(loop, Options({Unused(), ListenerAddress()}));
  backend.Warm();
  RunUntil(
      [&] { return backend.connected() && !backend.last_error().empty(); });
  for (int i = 0; i < 4; ++i) {
    http2::Session* session = backend.Acquire().session;
    ASSERT_NE(session, nullptr);
    EXPECT_TRUE(session->started());
  }
}

TEST_F(BackendTest, ANameThatDoesNotResolveSaysSo) {
  Backend backend(loop,
                  Options({{.host = "no-such-host.invalid", .port = 80}}));
  backend.Acquire().session;
  RunUntil([&] { return !backend.last_error().empty(); });
  EXPECT_THAT(backend.last_error(),
              HasSubstr("no-such-host.invalid:80: name not resolved"));
}

TEST_F(BackendTest, MayBeDestroyedWhileConnecting) {
  auto backend = std::make_unique<Backend>(loop, Options({ListenerAddress()}));
  backend->Acquire();
  backend.reset();
  loop.io().run_for(std::chrono::milliseconds(20));
}

}  // namespace
}  // namespace bandit::upstream
