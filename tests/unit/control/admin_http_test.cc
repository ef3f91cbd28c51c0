// SPDX-License-Identifier: Apache-2.0
#include "router/control/admin_http.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <future>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"
#include "router/control/http_lobby.h"

namespace bandit::control {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A client that says what it is told to, and no more.
class RawSocket {
 public:
  explicit RawSocket(int port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address),
                      sizeof(address)),
              0);
  }
  RawSocket(RawSocket&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)) {}
  ~RawSocket() { close(socket_); }

  void Send(std::string_view bytes) const {
    EXPECT_EQ(send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  std::string ReadAll() const {
    std::string all;
    std::array<char, 1024> bytes;
    for (ssize_t got = 0;
         (got = recv(socket_, bytes.data(), bytes.size(), 0)) > 0;) {
      all.append(bytes.data(), static_cast<size_t>(got));
    }
    return all;
  }

 private:
  int socket_;
};

class AdminHttpTest : public ::testing::Test {
 protected:
  void Start(const std::string& address = "127.0.0.1:0",
             std::function<HttpAnswer(const HttpRequest&)> pages = {}) {
    auto started = AdminHttp::Start(
        {.address = address,
         .metrics = {registry_},
         .ready =
             [this] {
               return ready_ ? absl::OkStatus()
                             : absl::UnavailableError("no backend yet");
             },
         .pages = std::move(pages),
         .post_path = "/act"});
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
TEST_F(AdminHttpTest, OpenConnectionsHoldNoThread) {
  Start();
  std::vector<std::unique_ptr<httplib::Client>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(
        std::make_unique<httplib::Client>("127.0.0.1", admin_->port()));
    clients.back()->set_keep_alive(true);
    ASSERT_TRUE(clients.back()->Get("/healthz"));
  }
  for (const auto& client : clients) {
    EXPECT_EQ(client->Get("/healthz")->status, 200);
    EXPECT_TRUE(client->is_socket_open());
  }
}

// Browsers open connections in case they need one; others send half a request.
TEST_F(AdminHttpTest, SilentAndSlowConnectionsHoldNoThread) {
  Start();
  std::vector<RawSocket> sockets;
  for (int i = 0; i < 60; ++i) {
    sockets.emplace_back(admin_->port());
    if (i % 2 == 0) sockets.back().Send("GET /metrics HTTP/1.1\r\nHost: x\r\n");
  }
  EXPECT_EQ(client_->Get("/healthz")->status, 200);
  // One goes on when the rest of it comes.
  sockets[0].Send("Connection: close\r\n\r\n");
  EXPECT_THAT(sockets[0].ReadAll(), HasSubstr("HTTP/1.1 200 OK"));
}

TEST_F(AdminHttpTest, PagesThatTakeLongDoNotHoldProbesUp) {
  absl::Notification release;
  std::atomic<int> entered = 0;
  Start("127.0.0.1:0", [&](const HttpRequest&) {
    ++entered;
    release.WaitForNotification();
    return HttpAnswer{.body = "at last"};
  });
  std::vector<std::thread> readers;
  for (int i = 0; i < 20; ++i) {
    readers.emplace_back([this] {
      httplib::Client client("127.0.0.1", admin_->port());
      const auto answer = client.Get("/slow");
      EXPECT_TRUE(answer && answer->body == "at last");
    });
  }
  while (entered == 0) std::this_thread::yield();
  for (const char* path : {"/metrics", "/healthz", "/readyz"}) {
    EXPECT_EQ(client_->Get(path)->status, 200) << path;
  }
  release.Notify();
  for (std::thread& reader : readers) reader.join();
}

TEST_F(AdminHttpTest, PagesGetTheRequestAndGiveTheAnswer) {
  std::promise<HttpRequest> asked;
  Start("127.0.0.1:0", [&](const HttpRequest& request) {
    asked.set_value(request);
    return HttpAnswer{.status = 201,
                      .type = "application/json",
                      .body = "{}",
                      .headers = {{"X-One", "1"}}};
  });
  const auto answer =
      client_->Post("/act?a=b%20c", {{"Authorization", "Bearer t"}}, "body",
                    "application/json");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "application/json");
  EXPECT_EQ(answer->get_header_value("X-One"), "1");
  const HttpRequest seen = asked.get_future().get();
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.path, "/act");
  EXPECT_EQ(seen.query.at("a"), "b c");
  EXPECT_EQ(seen.authorization, "Bearer t");
  EXPECT_EQ(seen.content_type, "application/json");
  EXPECT_EQ(seen.body, "body");
  EXPECT_EQ(client_->Post("/", "body", "text/plain")->status, 405);
  EXPECT_EQ(client_->Delete("/act")->status, 405);
}

TEST_F(AdminHttpTest, ABodyIsShortAndSaysItsLength) {
  Start("127.0.0.1:0", [&](const HttpRequest&) { return HttpAnswer{}; });
  EXPECT_EQ(client_->Post("/act", std::string(8193, 'x'), "text/plain")->status,
            413);
  EXPECT_EQ(client_->Post("/act", std::string(8192, 'x'), "text/plain")->status,
            200);
  RawSocket chunked(admin_->port());
  chunked.Send(
      "POST /act HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_THAT(chunked.ReadAll(), HasSubstr("HTTP/1.1 411"));
}

TEST_F(AdminHttpTest, ALongPathIsOneThatIsNotThere) {
  Start();
  const auto answer = client_->Get(("/" + std::string(8000, 'a')).c_str());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 404);
}

TEST(HttpLobbyTest, ARequestIsJudgedWhenAllOfItHasCome) {
  constexpr size_t kRoom = 200;
  const auto judge = [](std::string_view bytes) { return Judge(bytes, kRoom); };
  EXPECT_EQ(judge("GET /metrics HTTP/1.1\r\n\r"), Arrival::kPart);
  EXPECT_EQ(judge("GET /metrics HTTP/1.1\r\n\r\n"), Arrival::kProbe);
  EXPECT_EQ(judge("GET /readyz?x HTTP/1.1\r\n\r\n"), Arrival::kProbe);
  EXPECT_EQ(judge("GET /metricsx HTTP/1.1\r\n\r\n"), Arrival::kPage);
  EXPECT_EQ(judge("GET / HTTP/1.1\r\n\r\n"), Arrival::kPage);
  EXPECT_EQ(judge("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\na"),
            Arrival::kPart);
  EXPECT_EQ(judge("POST / HTTP/1.1\r\ncontent-length:2\r\n\r\nab"),
            Arrival::kPage);
  // More than is waited for.
  EXPECT_EQ(judge("POST / HTTP/1.1\r\ncontent-length: 999\r\n\r\n"),
            Arrival::kPage);
  EXPECT_EQ(judge(std::string(kRoom, 'x')), Arrival::kPage);
}

// The one that has waited longest makes room.
TEST(HttpLobbyTest, TheNumberOfConnectionsIsBounded) {
  std::array<std::array<int, 2>, 3> pairs;
  for (auto& pair : pairs) {
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
  }
  {
    HttpLobby lobby({.serve = [](int) { return false; }, .most = 2});
    for (const auto& pair : pairs) lobby.Admit(pair[1]);
    char byte = 0;
    EXPECT_EQ(recv(pairs[0][0], &byte, 1, 0), 0);  // Closed.
    EXPECT_EQ(recv(pairs[1][0], &byte, 1, MSG_DONTWAIT), -1);
    EXPECT_EQ(recv(pairs[2][0], &byte, 1, MSG_DONTWAIT), -1);
  }
  for (const auto& pair : pairs) close(pair[0]);
}

TEST(HttpLobbyTest, WhoAsksNothingForLongGoes) {
  std::array<int, 2> pair;
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
  HttpLobby lobby(
      {.serve = [](int) { return false; }, .patience = absl::Milliseconds(1)});
  lobby.Admit(pair[1]);
  char byte = 0;
  EXPECT_EQ(recv(pair[0], &byte, 1, 0), 0);
  close(pair[0]);
}

TEST_F(AdminHttpTest, ATakenPortIsRefusedByName) {
  Start();
  const std::string taken = "127.0.0.1:" + std::to_string(admin_->port());
  const auto second = AdminHttp::Start(
      {.address = taken, .metrics = {}, .ready = {}, .pages = {}});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(taken));
}

TEST_F(AdminHttpTest, AMalformedAddressIsRefused) {
  for (const char* address :
       {"", "9090", "localhost", "localhost:", "localhost:x", ":9090",
        "localhost:70000", "localhost:-1", "localhost:80x"}) {
    const auto started = AdminHttp::Start(
        {.address = address, .metrics = {}, .ready = {}, .pages = {}});
    EXPECT_EQ(started.status().code(), absl::StatusCode::kInvalidArgument)
        << address;
  }
}

TEST_F(AdminHttpTest, ListensOnIpv6) {
  auto started = AdminHttp::Start(
      {.address = "[::1]:0", .metrics = {}, .ready = {}, .pages = {}});
  if (!started.ok()) GTEST_SKIP() << "no IPv6 here";
  httplib::Client client("::1", (*started)->port());
  EXPECT_EQ(client.Get("/healthz")->status, 200);
}

}  // namespace
}  // namespace bandit::control
