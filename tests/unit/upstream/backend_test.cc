// SPDX-License-Identifier: Apache-2.0
// Which endpoint takes a request, and what happens when endpoints come and go.
#include "router/upstream/backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/upstream/backend_fixture.h"

namespace bandit::upstream {
namespace {

using ::testing::HasSubstr;
using State = Endpoint::State;
using Outcome = Backend::Outcome;

class BackendTest : public BackendFixture {};

TEST_F(BackendTest, BalancesByRequestsUnderWay) {
  FakeServer one(loop, "127.0.0.1");
  FakeServer two(loop, "127.0.0.1");
  Backend backend(loop, Options({one.address(), two.address()}));
  Connect(backend, 2);
  std::map<Endpoint*, std::vector<Backend::Lease>> leases;
  for (int i = 0; i < 10; ++i) {
    const Backend::Lease lease = backend.Acquire();
    leases[lease.endpoint].push_back(lease);
  }
  ASSERT_EQ(leases.size(), 2u);
  auto& [busy, its] = *leases.begin();
  EXPECT_EQ(its.size(), 5u);
  // What is given back counts no more.
  for (const auto& lease : its) backend.Release(lease, Outcome::kAnswered);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(backend.Acquire().endpoint, busy);
}

TEST_F(BackendTest, ARequestWaitsForTheFirstConnection) {
  FakeServer server(loop, "127.0.0.1");
  Backend backend(loop, Options({server.address()}));
  EXPECT_TRUE(backend.available());
  const Backend::Lease lease = backend.Acquire();
  ASSERT_TRUE(lease);
  FakeCall call;
  call.Send(*lease.session);
  RunUntil([&] { return call.closed.has_value(); });
  EXPECT_EQ(call.body, "answer");
  EXPECT_EQ(backend.Acquire().session, lease.session);
}

TEST_F(BackendTest, TheOtherAddressServesWhileOneIsDown) {
  FakeServer server(loop, "127.0.0.1");
  Backend backend(loop, Options({Unused(), server.address()}));
  Connect(backend, 1);
  RunUntil([&] { return InState(backend, State::kBackoff) == 1; });
  EXPECT_THAT(backend.last_error(), HasSubstr("Connection refused"));
  EXPECT_TRUE(backend.available());
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(backend.Acquire().endpoint->name(), server.address().ToString());
  }
}

TEST_F(BackendTest, WhatIsConnectedIsPreferredToWhatIsOnlyBeing) {
  FakeServer silent(loop, "127.0.0.1");
  silent.serves = false;
  FakeServer server(loop, "127.0.0.1");
  Backend backend(loop, Options({silent.address(), server.address()}));
  Connect(backend, 1);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(backend.Acquire().endpoint->name(), server.address().ToString());
  }
}

TEST_F(BackendTest, AnEndpointIsAvoidedIfThereIsAnother) {
  FakeServer one(loop, "127.0.0.1");
  FakeServer two(loop, "127.0.0.1");
  Backend backend(loop, Options({one.address(), two.address()}));
  Connect(backend, 2);
  Endpoint* const failed = backend.Acquire().endpoint;
  for (int i = 0; i < 20; ++i) {
    EXPECT_NE(backend.Acquire(failed).endpoint, failed);
  }
  // The other one goes.
  (failed->address() == one.address() ? two : one).Stop();
  RunUntil([&] { return ReadyCount(backend) == 1; });
  Advance(backend, kSecond);
  RunUntil([&] { return InState(backend, State::kBackoff) == 1; });
  EXPECT_EQ(backend.Acquire(failed).endpoint, failed);
}

TEST_F(BackendTest, IsUnavailableWhileEveryEndpointIsInBackoff) {
  const Address address = Unused();
  Backend backend(loop, Options({address}));
  backend.Warm();
  RunUntil([&] { return !backend.available(); });
  const Backend::Lease none = backend.Acquire();
  EXPECT_FALSE(none);
  EXPECT_THAT(backend.WhyNone(none), HasSubstr("Connection refused"));
  // It comes up: found without a request.
  FakeServer server(loop, address.host, address.port);
  Advance(backend, kSecond);
  RunUntil([&] { return backend.available(); });
  EXPECT_EQ(ReadyCount(backend), 1);
}

TEST_F(BackendTest, ARequestFindsWhatCameBackBeforeTheBackoffIsOver) {
  const Address address = Unused();
  Backend backend(loop, Options({address}));
  backend.Warm();
  // Some failures make the back-off long: 50 ms, 100 ms, ... 1.6 s.
  for (int failures = 0; failures < 6; ++failures) {
    RunUntil([&] { return InState(backend, State::kBackoff) == 1; });
    Advance(backend, 2 * kSecond);
    RunUntil([&] { return backend.gauges().connections == 0; });
  }
  FakeServer server(loop, address.host, address.port);
  // Not at once, so that a dead endpoint costs next to nothing.
  EXPECT_FALSE(backend.Acquire());
  clock += 60 * kMillisecond;
  loop.UpdateTime();
  EXPECT_FALSE(backend.available());
  const Backend::Lease lease = backend.Acquire();
  ASSERT_TRUE(lease);
  FakeCall call;
  call.Send(*lease.session);
  RunUntil([&] { return call.closed.has_value(); });
  EXPECT_EQ(call.body, "answer");
}

TEST_F(BackendTest, AFailedConnectionIsNotOfferedToTheRequestThatWaitedInIt) {
  Backend backend(loop, Options({Unused()}));
  const Backend::Lease lease = backend.Acquire();
  ASSERT_TRUE(lease);
  FakeCall call;
  bool asked = false;
  call.on_closed = [&] {
    asked = true;
    backend.Release(lease, Outcome::kFailed);
    EXPECT_FALSE(backend.Acquire());
  };
  call.Send(*lease.session);
  RunUntil([&] { return asked; });
  EXPECT_FALSE(call.sent);
}

// --- outliers

TEST_F(BackendTest, AnEndpointThatFailsIsLeftOutForAWhile) {
  FakeServer one(loop, "127.0.0.1");
  FakeServer two(loop, "127.0.0.1");
  BackendOptions options = Options({one.address(), two.address()});
  options.outliers = {.consecutive_failures = 3,
                      .base_ejection_ns = 10 * kSecond,
                      .max_ejection_ns = 100 * kSecond,
                      .max_share = 0.5};
  Backend backend(loop, options);
  Connect(backend, 2);
  Endpoint* const bad = backend.Acquire().endpoint;
  const auto fail = [&](Endpoint* endpoint) {
    ++endpoint->leases;
    backend.Release({nullptr, endpoint}, Outcome::kFailed);
  };
  fail(bad);
  fail(bad);
  EXPECT_EQ(ReadyCount(backend), 2);
  fail(bad);
  EXPECT_EQ(InState(backend, State::kEjected), 1);
  EXPECT_EQ(backend.counts().ejections, 1u);
  for (int i = 0; i < 20; ++i) EXPECT_NE(backend.Acquire().endpoint, bad);

  // The other one may fail as it likes: half of them are out.
  Endpoint* const other = backend.Acquire().endpoint;
  for (int i = 0; i < 10; ++i) fail(other);
  EXPECT_EQ(ReadyCount(backend), 1);
  EXPECT_TRUE(backend.available());

  Advance(backend, 9 * kSecond);
  EXPECT_EQ(InState(backend, State::kEjected), 1);
  Advance(backend, 3 * kSecond);
  EXPECT_EQ(ReadyCount(backend), 2);
}

TEST_F(BackendTest, WhatTheCallerAbandonsSaysNothing) {
  FakeServer one(loop, "127.0.0.1");
  FakeServer two(loop, "127.0.0.1");
  BackendOptions options = Options({one.address(), two.address()});
  options.outliers.consecutive_failures = 1;
  Backend backend(loop, options);
  Connect(backend, 2);
  for (int i = 0; i < 20; ++i) Call(backend, Outcome::kAbandoned);
  EXPECT_EQ(ReadyCount(backend), 2);
}

// --- names

TEST_F(BackendTest, ANamesEndpointsComeAndGo) {
  FakeServer one(loop, "127.0.0.1");
  FakeServer two(loop, "127.0.0.1");
  Backend backend(loop, Options({{.host = "ranker", .port = 80}}));
  backend.Warm();
  backend.Tick();
  resolver.Answer({one.address()});
  RunUntil([&] { return ReadyCount(backend) == 1; });
  const Backend::Lease held = backend.Acquire();
  FakeCall call;
  one.hold = true;
  call.Send(*held.session);
  RunUntil([&] { return one.calls == 1; });

  Advance(backend, 30 * kSecond);
  resolver.Answer({two.address()});
  RunUntil([&] { return ReadyCount(backend) == 1; });
  EXPECT_EQ(backend.Acquire().endpoint->name(), two.address().ToString());
  // The one that has gone finishes what it had.
  EXPECT_EQ(one.sessions.size(), 1u);
  one.AnswerAll();
  RunUntil([&] { return call.closed.has_value(); });
  EXPECT_EQ(call.body, "answer");
  backend.Release(held, Outcome::kAnswered);
  RunUntil([&] { return one.sessions.empty(); });
}

TEST_F(BackendTest, EndpointsThatStayKeepTheirConnections) {
  FakeServer one(loop, "127.0.0.1");
  FakeServer two(loop, "127.0.0.1");
  Backend backend(loop, Options({{.host = "ranker", .port = 80}}));
  backend.Warm();
  backend.Tick();
  resolver.Answer({one.address()});
  RunUntil([&] { return ReadyCount(backend) == 1; });
  http2::Session* const session = backend.Acquire().session;
  Advance(backend, 30 * kSecond);
  resolver.Answer({two.address(), one.address()});
  RunUntil([&] { return ReadyCount(backend) == 2; });
  EXPECT_EQ(one.accepted, 1u);
  std::set<http2::Session*> seen;
  for (int i = 0; i < 50; ++i) seen.insert(backend.Acquire().session);
  EXPECT_EQ(seen.count(session), 1u);
}

TEST_F(BackendTest, AddressesAreLookedUpAtOnceWhenNoneWorks) {
  auto one = std::make_unique<FakeServer>(loop, "127.0.0.1");
  FakeServer two(loop, "127.0.0.1");
  Backend backend(loop, Options({{.host = "ranker", .port = 80}}));
  backend.Warm();
  backend.Tick();
  resolver.Answer({one->address()});
  RunUntil([&] { return ReadyCount(backend) == 1; });
  clock += 2 * kSecond;
  loop.UpdateTime();
  one->Stop();
  RunUntil([&] {
    clock += 100 * kMillisecond;
    return !resolver.asked.empty();
  });
  EXPECT_LT(clock, 1'020 * kSecond);
  EXPECT_FALSE(backend.available());
  resolver.Answer({two.address()});
  EXPECT_TRUE(backend.available());
  RunUntil([&] { return ReadyCount(backend) == 1; });
}

TEST_F(BackendTest, ANameThatDoesNotResolveSaysSo) {
  BackendOptions options =
      Options({{.host = "no-such-host.invalid", .port = 80}});
  options.resolver = nullptr;  // The system's.
  Backend backend(loop, options);
  backend.Warm();
  RunUntil([&] { return !backend.available(); });
  EXPECT_THAT(backend.last_error(),
              HasSubstr("no-such-host.invalid:80: name not resolved"));
}

TEST_F(BackendTest, TheSystemKnowsLocalhost) {
  FakeServer server(loop, "127.0.0.1");
  BackendOptions options =
      Options({{.host = "localhost", .port = server.address().port}});
  options.resolver = nullptr;
  Backend backend(loop, options);
  Connect(backend, 1);
  EXPECT_EQ(backend.Acquire().endpoint->address().server_name(), "localhost");
}

// --- circuit breaking

TEST_F(BackendTest, TheCircuitBoundsAllWorkersTogether) {
  FakeServer server(loop, "127.0.0.1");
  Circuits circuits;
  BackendOptions options = Options({server.address()});
  options.circuit = circuits.Get("b", 3);
  Backend one(loop, options);
  options.circuit = circuits.Get("b", 3);
  Backend two(loop, options);
  Connect(one, 1);
  Connect(two, 1);
  const Backend::Lease lease = one.Acquire();
  EXPECT_TRUE(two.Acquire());
  EXPECT_TRUE(two.Acquire());
  const Backend::Lease none = one.Acquire();
  EXPECT_FALSE(none);
  EXPECT_EQ(none.refusal, Backend::Refusal::kCircuitOpen);
  EXPECT_EQ(one.WhyNone(none), "max_requests = 3 are under way");
  EXPECT_EQ(one.counts().circuit_open, 1u);
  one.Release(lease, Outcome::kAbandoned);
  EXPECT_TRUE(two.Acquire());
  EXPECT_FALSE(two.Acquire());
}

TEST_F(BackendTest, ARequestThatGetsNoPlaceDoesNotCount) {
  Circuits circuits;
  BackendOptions options = Options({Unused()});
  options.circuit = circuits.Get("b", 1);
  Backend backend(loop, options);
  backend.Warm();
  RunUntil([&] { return !backend.available(); });
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(backend.Acquire().refusal, Backend::Refusal::kNoEndpoint);
  }
}

TEST(CircuitsTest, ThereIsNoneWithoutABound) {
  Circuits circuits;
  EXPECT_EQ(circuits.Get("b", 0), nullptr);
  const auto one = circuits.Get("b", 1);
  EXPECT_EQ(circuits.Get("b", 1), one);
  EXPECT_NE(circuits.Get("b", 2), one);
  EXPECT_NE(circuits.Get("c", 1), one);
}

// --- the end

TEST_F(BackendTest, MayBeDestroyedWhileConnecting) {
  FakeServer server(loop, "127.0.0.1");
  auto backend = std::make_unique<Backend>(loop, Options({server.address()}));
  backend->Acquire();
  backend.reset();
  Settle();
}

TEST_F(BackendTest, MayBeDestroyedWhileANameIsLookedUp) {
  auto backend = std::make_unique<Backend>(
      loop, Options({{.host = "ranker", .port = 80}}));
  backend->Warm();
  backend->Tick();
  backend.reset();
  resolver.Answer({"127.0.0.1:1"});
}

TEST_F(BackendTest, CallsThatEndWithItGetNoOtherPlace) {
  FakeServer one(loop, "127.0.0.1");
  FakeServer two(loop, "127.0.0.1");
  BackendOptions options = Options({one.address(), two.address()});
  options.outliers.consecutive_failures = 1;
  auto owned = std::make_unique<Backend>(loop, options);
  // What calls use: the owner's pointer is null while it is destroyed.
  Backend& backend = *owned;
  Connect(backend, 2);
  one.hold = two.hold = true;
  std::vector<std::unique_ptr<FakeCall>> calls;
  for (int i = 0; i < 4; ++i) {
    calls.push_back(std::make_unique<FakeCall>());
    const Backend::Lease lease = backend.Acquire();
    calls.back()->Send(*lease.session);
    calls.back()->on_closed = [&backend, lease] {
      backend.Release(lease, Outcome::kFailed);
      EXPECT_FALSE(backend.Acquire());
    };
  }
  RunUntil([&] { return one.calls + two.calls == 4; });
  owned.reset();
  for (const auto& call : calls) EXPECT_TRUE(call->closed.has_value());
}

}  // namespace
}  // namespace bandit::upstream
