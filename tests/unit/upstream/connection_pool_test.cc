// SPDX-License-Identifier: Apache-2.0
// A backend with one endpoint: how many connections it has, and when.
#include "router/upstream/connection_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/unit/upstream/backend_fixture.h"

namespace bandit::upstream {
namespace {

using ::testing::HasSubstr;
using State = Endpoint::State;

class ConnectionPoolTest : public BackendFixture {
 protected:
  http2::SessionOptions Streams(uint32_t max) {
    http2::SessionOptions options;
    options.max_concurrent_streams = max;
    return options;
  }

  FakeCall& Send(Backend& backend) {
    calls.push_back(std::make_unique<FakeCall>());
    const Backend::Lease lease = backend.Acquire();
    EXPECT_TRUE(lease);
    if (lease) calls.back()->Send(*lease.session);
    return *calls.back();
  }

  size_t Answered() const {
    size_t answered = 0;
    for (const auto& call : calls) answered += call->body == "answer";
    return answered;
  }

  // Must outlive the backend of a test.
  std::vector<std::unique_ptr<FakeCall>> calls;
};

TEST_F(ConnectionPoolTest, KeepsOneConnection) {
  FakeServer server(loop, "127.0.0.1");
  Backend backend(loop, Options({server.address()}));
  Connect(backend, 1);
  for (int i = 0; i < 50; ++i) Send(backend);
  RunUntil([&] { return Answered() == 50; });
  EXPECT_EQ(server.accepted, 1u);
}

TEST_F(ConnectionPoolTest, GrowsWhileThePeerTakesNoMoreStreams) {
  FakeServer server(loop, "127.0.0.1", 0, Streams(2));
  server.hold = true;
  BackendOptions options = Options({server.address()});
  options.pool.max_connections = 3;
  Backend backend(loop, options);
  Connect(backend, 1);
  for (int i = 0; i < 6; ++i) Send(backend);
  RunUntil([&] { return server.calls == 6; });
  EXPECT_EQ(server.accepted, 3u);
  // What is beyond waits in them.
  for (int i = 0; i < 6; ++i) Send(backend);
  Settle();
  EXPECT_EQ(server.calls, 6u);
  server.AnswerAll();
  RunUntil([&] { return Answered() == 12; });
  EXPECT_EQ(server.accepted, 3u);
}

TEST_F(ConnectionPoolTest, BacksOffLongerAfterEachFailure) {
  Backend backend(loop, Options({Unused()}));
  backend.Warm();
  Advance(backend, 0);
  for (int failure = 0; failure < 5; ++failure) {
    RunUntil([&] { return backend.gauges().connections == 0; });
    const int64_t begin = clock;
    while (backend.gauges().connections == 0) Advance(backend, kMillisecond);
    // 50 ms, twice as long each time, a fifth more or less.
    EXPECT_LE(clock - begin, (61 * kMillisecond) << failure);
    EXPECT_GE(clock - begin, (39 * kMillisecond) << failure);
  }
}

TEST_F(ConnectionPoolTest, RequestsMayTryADeadPeerNowAndThen) {
  Backend backend(loop, Options({Unused()}));
  Backend::Lease lease = backend.Acquire();
  for (int failure = 0; failure < 5; ++failure) {
    ASSERT_TRUE(lease) << failure;
    const auto session = lease.session->shared_from_this();
    RunUntil([&] { return session->dead(); });
    const int64_t begin = clock;
    while (!(lease = backend.Acquire())) {
      clock += kMillisecond;
      loop.UpdateTime();
    }
    EXPECT_GE(clock - begin, 39 * kMillisecond);
    EXPECT_LE(clock - begin, 50 * kMillisecond);
  }
}

TEST_F(ConnectionPoolTest, OneThatDoesNotAnswerCostsRequestsHalfOfTheTime) {
  FakeServer server(loop, "127.0.0.1");
  server.serves = false;
  Backend backend(loop, Options({server.address()}));
  for (int failure = 0; failure < 8; ++failure) {
    ASSERT_TRUE(backend.Acquire()) << failure;
    Advance(backend, 5 * kSecond);
    RunUntil([&] { return backend.gauges().connections == 0; });
    if (failure < 7) {
      clock += 5 * kSecond;
      loop.UpdateTime();
    }
  }
  // Its back-off is at its longest.
  clock += 3'900 * kMillisecond;
  loop.UpdateTime();
  EXPECT_FALSE(backend.Acquire());
}

TEST_F(ConnectionPoolTest, GoAwayFailsNoRequest) {
  FakeServer server(loop, "127.0.0.1");
  server.hold = true;
  Backend backend(loop, Options({server.address()}));
  Connect(backend, 1);
  FakeCall& first = Send(backend);
  RunUntil([&] { return server.calls == 1; });
  http2::Session* const old = first.session;
  server.SayGoAway();
  RunUntil([&] { return old->draining(); });
  FakeCall& second = Send(backend);
  EXPECT_NE(second.session, old);
  RunUntil([&] { return server.calls == 2; });
  server.AnswerAll();
  RunUntil([&] { return Answered() == 2; });
  EXPECT_EQ(first.closed, NGHTTP2_NO_ERROR);
  EXPECT_EQ(server.accepted, 2u);
}

TEST_F(ConnectionPoolTest, AConnectionThatIsLostIsMadeAgain) {
  FakeServer server(loop, "127.0.0.1");
  Backend backend(loop, Options({server.address()}));
  Connect(backend, 1);
  clock += kSecond;
  server.Cut();
  RunUntil([&] { return server.accepted == 2; });
  RunUntil([&] { return ReadyCount(backend) == 1; });
}

TEST_F(ConnectionPoolTest, OneThatIsTakenButNotServedIsNoConnection) {
  FakeServer server(loop, "127.0.0.1");
  server.serves = false;
  Backend backend(loop, Options({server.address()}));
  FakeCall& call = Send(backend);
  RunUntil([&] { return server.accepted == 1; });
  Settle();
  EXPECT_FALSE(backend.connected());
  EXPECT_EQ(InState(backend, State::kConnecting), 1);
  Advance(backend, 4'900 * kMillisecond);
  EXPECT_FALSE(call.closed.has_value());
  Advance(backend, 200 * kMillisecond);
  EXPECT_TRUE(call.closed.has_value());
  EXPECT_FALSE(call.sent);
  EXPECT_EQ(InState(backend, State::kBackoff), 1);
  EXPECT_FALSE(backend.available());
  EXPECT_THAT(backend.last_error(), HasSubstr("no HTTP/2 SETTINGS within 5s"));
}

TEST_F(ConnectionPoolTest, WhatIsNotUsedIsClosedAndMadeAgainWhenAskedFor) {
  FakeServer server(loop, "127.0.0.1");
  BackendOptions options = Options({server.address()});
  options.pool.idle_timeout = absl::Seconds(60);
  Backend backend(loop, options);
  Connect(backend, 1);
  Send(backend);
  RunUntil([&] { return Answered() == 1; });
  Advance(backend, 59 * kSecond);
  EXPECT_EQ(backend.gauges().connections, 1);
  Send(backend);
  RunUntil([&] { return Answered() == 2; });
  Advance(backend, 59 * kSecond);
  EXPECT_EQ(backend.gauges().connections, 1);
  Advance(backend, kSecond);
  EXPECT_EQ(backend.gauges().connections, 0);
  Advance(backend, 10 * kSecond);
  RunUntil([&] { return server.sessions.empty(); });
  EXPECT_EQ(server.accepted, 1u);
  // It may be asked, and then it is there again.
  EXPECT_TRUE(backend.available());
  Send(backend);
  RunUntil([&] { return Answered() == 3; });
  EXPECT_EQ(server.accepted, 2u);
}

TEST_F(ConnectionPoolTest, WhatIsInUseIsNotIdle) {
  FakeServer server(loop, "127.0.0.1");
  server.hold = true;
  BackendOptions options = Options({server.address()});
  options.pool.idle_timeout = absl::Seconds(60);
  Backend backend(loop, options);
  Connect(backend, 1);
  Send(backend);
  RunUntil([&] { return server.calls == 1; });
  for (int i = 0; i < 5; ++i) Advance(backend, 59 * kSecond);
  EXPECT_EQ(backend.gauges().connections, 1);
  server.AnswerAll();
  RunUntil([&] { return Answered() == 1; });
}

}  // namespace
}  // namespace bandit::upstream
