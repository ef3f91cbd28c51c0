// SPDX-License-Identifier: Apache-2.0
#include "router/control/admin_http.h"

#include <httplib.h>

#include <atomic>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"

namespace bandit::control {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class AdminHttpTest : public ::testing::Test {
 protected:
  void Start(const std::string& address = "127.0.0.1:0") {
    auto started = AdminHttp::Start(
        {.address = address, .metrics = {registry_}, .ready = [this] {
           return ready_ ? absl::OkStatus()
                         : absl::UnavailableError("no backend yet");
         }});
    ASSERT_TRUE(started.ok()) << started.status();
    admin_ = *std::move(started);
    client_ = std::make_unique<httplib::Client>("127.0.0.1", admin_->port());
  }

  std::shared_ptr<prometheus::Registry> registry_ =
      std::make_shared<prometheus::Registry>();
  std::atomic<bool> ready_ = true;
  std::unique_ptr<AdminHttp> admin_;
  std::unique_ptr<httplib::Client> client_;
};

TEST_F(AdminHttpTest, ServesMetricsInPrometheusFormat) {
  prometheus::BuildCounter()
      .Name("songs_total")
      .Help("Songs sung")
      .Register(*registry_)
      .Add({{"key", "C"}})
      .Increment(3);
  Start();
  const auto answer = client_->Get("/metrics");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Content-Type"),
            "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(answer->body, AllOf(HasSubstr("# HELP songs_total Songs sung\n"),
                                  HasSubstr("songs_total{key=\"C\"} 3\n")));
}

TEST_F(AdminHttpTest, HealthIsLifeAndReadinessIsAsked) {
  Start();
  EXPECT_EQ(client_->Get("/healthz")->status, 200);
  EXPECT_EQ(client_->Get("/readyz")->status, 200);
  ready_ = false;
  const auto answer = client_->Get("/readyz");
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->body, "not ready: no backend yet\n");
  EXPECT_EQ(client_->Get("/healthz")->status, 200);
}

TEST_F(AdminHttpTest, ElsewhereItSaysWhereToLook) {
  Start();
  const auto answer = client_->Get("/metricz");
  EXPECT_EQ(answer->status, 404);
  EXPECT_THAT(answer->body,
              AllOf(HasSubstr("/metricz"), HasSubstr("/metrics")));
}

// More clients than threads, each keeping its connection open.
TEST_F(AdminHttpTest, IdleClientsHoldNoThread) {
  Start();
  std::vector<std::unique_ptr<httplib::Client>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(
        std::make_unique<httplib::Client>("127.0.0.1", admin_->port()));
    clients.back()->set_keep_alive(true);
    ASSERT_TRUE(clients.back()->Get("/healthz"));
  }
}

TEST_F(AdminHttpTest, ATakenPortIsRefusedByName) {
  Start();
  const std::string taken = "127.0.0.1:" + std::to_string(admin_->port());
  const auto second =
      AdminHttp::Start({.address = taken, .metrics = {}, .ready = {}});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(taken));
}

TEST_F(AdminHttpTest, AMalformedAddressIsRefused) {
  for (const char* address :
       {"", "9090", "localhost", "localhost:", "localhost:x", ":9090",
        "localhost:70000", "localhost:-1", "localhost:80x"}) {
    const auto started =
        AdminHttp::Start({.address = address, .metrics = {}, .ready = {}});
    EXPECT_EQ(started.status().code(), absl::StatusCode::kInvalidArgument)
        << address;
  }
}

TEST_F(AdminHttpTest, ListensOnIpv6) {
  auto started =
      AdminHttp::Start({.address = "[::1]:0", .metrics = {}, .ready = {}});
  if (!started.ok()) GTEST_SKIP() << "no IPv6 here";
  httplib::Client client("::1", (*started)->port());
  EXPECT_EQ(client.Get("/healthz")->status, 200);
}

}  // namespace
}  // namespace bandit::control
