// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/worker.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "router/config/load.h"
#include "router/experiment/plan.h"
#include "router/experiment/token.h"
#include "router/learning/snapshot.h"

namespace bandit::proxy {
namespace {

// A model server that takes connections and never answers.
class Silent {
 public:
  Silent() {
    sockaddr_in address = Loopback(0);
    EXPECT_EQ(
        bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
        0);
    EXPECT_EQ(listen(socket_, 16), 0);
    socklen_t size = sizeof(address);
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~Silent() { close(socket_); }
  int port() const { return port_; }

  static sockaddr_in Loopback(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
  }

 private:
  const int socket_ = socket(AF_INET, SOCK_STREAM, 0);
  int port_ = 0;
};

// The preface, empty SETTINGS and a call that has begun: HEADERS of 30 bytes,
// END_HEADERS, stream 1; POST, http, /s/m, authority m, application/grpc
// (RFC 9113, sections 3.4 and 6.2; RFC 7541, appendix A).
constexpr std::string_view kCall(
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    "\0\0\0\x04\0\0\0\0\0"
    "\0\0\x1e\x01\x04\0\0\0\x01"
    "\x83\x86\x04\x04/s/m\x01\x01m\x0f\x10\x10"
    "application/grpc",
    24 + 9 + 9 + 30);

// A client with a call that never ends. The router's first byte is its answer
// to the hello.
class Client {
 public:
  explicit Client(int port) {
    sockaddr_in address = Silent::Loopback(static_cast<uint16_t>(port));
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address),
                      sizeof(address)),
              0);
    EXPECT_EQ(write(socket_, kCall.data(), kCall.size()), kCall.size());
    char byte = 0;
    EXPECT_EQ(read(socket_, &byte, 1), 1);
  }
  ~Client() { close(socket_); }

 private:
  const int socket_ = socket(AF_INET, SOCK_STREAM, 0);
};

class WorkerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto loaded = config::LoadText(
        fmt::format("state: \"memory:\"\n"
                    "backends: {{m: {{address: \"127.0.0.1:{}\"}}}}\n"
                    "default_backend: m\n",
                    model_.port()),
        "test.yaml", {});
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    auto plan = experiment::CompilePlan(loaded->proto, {});
    ASSERT_TRUE(plan.ok()) << plan.status();
    ASSERT_TRUE(worker_.Bind().ok());
    worker_.Publish(std::make_shared<const learning::Snapshot>(
        learning::Snapshot{.plan = *std::move(plan)}));
  }

  const Silent model_;
  const experiment::TokenSigner signer_{"a secret"};
  tls::Credentials credentials_;
  upstream::Circuits circuits_;
  std::atomic<uint32_t> connections_ = 0;
  Admission::Shared admission_;
  Worker worker_{{.listen = *upstream::ParseAddress("127.0.0.1:0"),
                  .control_socket = "",
                  .signer = &signer_,
                  .credentials = &credentials_,
                  .circuits = &circuits_,
                  .connections = &connections_,
                  .unix_ms = [] { return int64_t{0}; },
                  .admission = &admission_}};
};

// The drain's beginning and its hurrying come from different threads.
TEST_F(WorkerTest, ALongerGraceDoesNotUndoAShorterOne) {
  worker_.Start();
  const Client client(worker_.address().port);
  // Both are there before the loop sees one of them.
  absl::Notification release;
  worker_.Harvest([&](auto) { release.WaitForNotification(); });
  worker_.Drain(absl::ZeroDuration());
  worker_.Drain(absl::Hours(1));
  release.Notify();
  worker_.Join();
}

TEST_F(WorkerTest, AHarvestThatTheLoopDidNotRunIsAnswered) {
  bool answered = false;
  worker_.Drain(absl::ZeroDuration());
  worker_.Harvest([&](auto deltas) { answered = deltas.size() == 1; });
  worker_.Start();
  worker_.Join();
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace bandit::proxy
