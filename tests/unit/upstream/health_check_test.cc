// SPDX-License-Identifier: Apache-2.0
#include "router/upstream/health_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/upstream/backend_fixture.h"

namespace bandit::upstream {
namespace {

using ::testing::HasSubstr;
using State = Endpoint::State;

// As protoc encodes grpc.health.v1.HealthCheckRequest and
// HealthCheckResponse.
std::string Message(std::string_view bytes) {
  std::string framed(5, '\0');
  framed[4] = static_cast<char>(bytes.size());
  return framed + std::string(bytes);
}
const std::string kServing = Message("\x08\x01");
const std::string kNotServing = Message("\x08\x02");

TEST(HealthMessageTest, TheRequestNamesTheService) {
  EXPECT_EQ(HealthRequest(""), std::string(5, '\0'));
  EXPECT_EQ(HealthRequest("ranker"), Message("\x0a\x06ranker"));
  const std::string name(200, 'n');
  EXPECT_EQ(HealthRequest(name).substr(0, 8),
            std::string("\0\0\0\0\xcb\x0a\xc8\x01", 8));
}

TEST(HealthMessageTest, OnlyServingServes) {
  const struct {
    std::string message;
    std::string why;  // Empty: serves.
  } cases[] = {
      {kServing, ""},
      {Message(""), "UNKNOWN"},
      {kNotServing, "NOT_SERVING"},
      {Message("\x08\x03"), "SERVICE_UNKNOWN"},
      {Message("\x08\x2a"), "status 42"},
      // Fields that are not known are skipped, the last value holds.
      {Message("\x12\x03"
               "abc\x08\x02\x08\x01"),
       ""},
      {Message("\x1d"
               "1234\x21"
               "12345678\x08\x01"),
       ""},
      {"", "no HealthCheckResponse"},
      {Message("\x08"), "no HealthCheckResponse"},
      {Message("\x12\x7f"), "no HealthCheckResponse"},
      {Message("\x0b"), "no HealthCheckResponse"},
      {kServing + "x", "no HealthCheckResponse"},
      {std::string("\x01\0\0\0\x02\x08\x01", 7), "no HealthCheckResponse"},
  };
  for (const auto& c : cases) {
    const auto why = WhyNotServing(c.message);
    EXPECT_EQ(why.has_value(), !c.why.empty()) << c.why;
    EXPECT_THAT(why.value_or(""), HasSubstr(c.why));
  }
}

class HealthCheckTest : public BackendFixture {
 protected:
  BackendOptions Checked(std::vector<Address> addresses) {
    BackendOptions options = Options(std::move(addresses));
    options.health_check = {.service = "ranker",
                            .interval_ns = 5 * kSecond,
                            .timeout_ns = kSecond,
                            .unhealthy_after = 2,
                            .healthy_after = 2};
    return options;
  }

  // Lets one check pass.
  void Check(Backend& backend, FakeServer& server) {
    const size_t before = Ended(backend);
    const size_t calls = server.calls;
    Advance(backend, 6 * kSecond);
    RunUntil([&] { return server.calls > calls; });
    if (server.hold) Advance(backend, kSecond);
    RunUntil([&] { return Ended(backend) > before; });
  }

  static size_t Ended(const Backend& backend) {
    return backend.counts().checks_passed + backend.counts().checks_failed;
  }
};

TEST_F(HealthCheckTest, AnEndpointIsIllAfterSoManyFailuresAndWellAgain) {
  FakeServer server(loop, "127.0.0.1");
  server.body = kServing;
  Backend backend(loop, Checked({server.address()}));
  Connect(backend, 1);
  RunUntil([&] { return backend.counts().checks_passed == 1; });
  EXPECT_EQ(server.paths.at(0), "/grpc.health.v1.Health/Check");

  server.body = kNotServing;
  Check(backend, server);
  EXPECT_TRUE(backend.available());
  Check(backend, server);
  EXPECT_FALSE(backend.available());
  EXPECT_EQ(InState(backend, State::kUnhealthy), 1);
  EXPECT_THAT(backend.last_error(), HasSubstr("health check: NOT_SERVING"));
  // Nobody else is there: it is tried all the same.
  EXPECT_TRUE(backend.Acquire());

  server.body = kServing;
  Check(backend, server);
  EXPECT_FALSE(backend.available());
  Check(backend, server);
  EXPECT_TRUE(backend.available());
  EXPECT_EQ(backend.counts().checks_passed, 3u);
  EXPECT_EQ(backend.counts().checks_failed, 2u);
}

TEST_F(HealthCheckTest, RequestsGoToTheHealthyOne) {
  FakeServer ill(loop, "127.0.0.1");
  FakeServer well(loop, "127.0.0.1");
  ill.body = kNotServing;
  well.body = kServing;
  Backend backend(loop, Checked({ill.address(), well.address()}));
  Connect(backend, 2);
  RunUntil([&] { return backend.counts().checks_passed == 1; });
  RunUntil([&] { return backend.counts().checks_failed == 1; });
  Check(backend, ill);
  RunUntil([&] { return ReadyCount(backend) == 1; });
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(backend.Acquire().endpoint->name(), well.address().ToString());
  }
}

TEST_F(HealthCheckTest, AServerThatDoesNotAnswerIsIll) {
  FakeServer server(loop, "127.0.0.1");
  server.hold = true;
  Backend backend(loop, Checked({server.address()}));
  Connect(backend, 1);
  RunUntil([&] { return server.calls == 1; });
  Advance(backend, kSecond);
  EXPECT_EQ(backend.counts().checks_failed, 1u);
  EXPECT_THAT(backend.last_error(), HasSubstr("no answer within 1000 ms"));
  Settle();
  Check(backend, server);
  EXPECT_FALSE(backend.available());
}

TEST_F(HealthCheckTest, AStatusThatIsNotOkIsAFailure) {
  FakeServer server(loop, "127.0.0.1");
  server.body = kServing;
  server.grpc_status = "12";
  Backend backend(loop, Checked({server.address()}));
  Connect(backend, 1);
  RunUntil([&] { return backend.counts().checks_failed == 1; });
  EXPECT_THAT(backend.last_error(), HasSubstr("grpc-status 12"));
}

TEST_F(HealthCheckTest, AnIllOneThatComesBackIsCheckedAtOnce) {
  auto server = std::make_unique<FakeServer>(loop, "127.0.0.1");
  const Address address = server->address();
  server->body = kNotServing;
  BackendOptions options = Checked({address});
  options.health_check->healthy_after = 1;
  Backend backend(loop, options);
  Connect(backend, 1);
  RunUntil([&] { return backend.counts().checks_failed == 1; });
  Check(backend, *server);
  EXPECT_FALSE(backend.available());
  server.reset();
  server = std::make_unique<FakeServer>(loop, address.host, address.port);
  server->body = kServing;
  RunUntil([&] {
    clock += 10 * kMillisecond;
    return backend.available();
  });
  EXPECT_EQ(ReadyCount(backend), 1);
}

TEST_F(HealthCheckTest, MayBeDestroyedUnderACheck) {
  FakeServer server(loop, "127.0.0.1");
  server.hold = true;
  auto backend = std::make_unique<Backend>(loop, Checked({server.address()}));
  Connect(*backend, 1);
  RunUntil([&] { return server.calls == 1; });
  backend.reset();
  Settle();
}

}  // namespace
}  // namespace bandit::upstream
