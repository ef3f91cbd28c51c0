// SPDX-License-Identifier: Apache-2.0
#include "router/control/admin_http.h"

#include <httplib.h>

#include <charconv>
#include <string_view>
#include <thread>
#include <utility>

#include "fmt/format.h"
#include "router/control/metrics.h"

namespace bandit::control {
namespace {

constexpr size_t kThreads = 3;
constexpr time_t kTimeoutSeconds = 5;
constexpr char kText[] = "text/plain; charset=utf-8";
// The version is Prometheus's text format's.
constexpr char kMetricsText[] = "text/plain; version=0.0.4; charset=utf-8";

struct HostPort {
  std::string host;
  int port = 0;
};

absl::StatusOr<HostPort> Parse(std::string_view address) {
  const size_t colon = address.rfind(':');
  HostPort parsed;
  if (colon != address.npos) {
    std::string_view host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
      host = host.substr(1, host.size() - 2);
    }
    parsed.host = host;
    const std::string_view port = address.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(port.data(), port.data() + port.size(), parsed.port);
    if (error == std::errc() && end == port.data() + port.size() &&
        !parsed.host.empty() && parsed.port >= 0 && parsed.port <= 65535) {
      return parsed;
    }
  }
  return absl::InvalidArgumentError(
      fmt::format("admin = {} is no address; expected host:port", address));
}

class HttplibAdmin final : public AdminHttp {
 public:
  explicit HttplibAdmin(Options options) : options_(std::move(options)) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server_.set_keep_alive_max_count(1);
    server_.set_read_timeout(kTimeoutSeconds);
    server_.set_write_timeout(kTimeoutSeconds);
    server_.set_payload_max_length(size_t{64} * 1024);
    // Not the library's SO_REUSEPORT: a second router on the port must fail.
    server_.set_socket_options([](int socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    });
    server_.Get("/metrics", [this](const auto&, httplib::Response& response) {
      response.set_content(ToPrometheusText(options_.metrics), kMetricsText);
    });
    server_.Get("/healthz", [](const auto&, httplib::Response& response) {
      response.set_content("ok\n", kText);
    });
    server_.Get("/readyz", [this](const auto&, httplib::Response& response) {
      const absl::Status ready = options_.ready();
      response.status = ready.ok() ? 200 : 503;
      response.set_content(
          ready.ok()
              ? "ready\n"
              : fmt::format("not ready: {}\n", std::string(ready.message())),
          kText);
    });
    server_.set_error_handler(
        [](const httplib::Request& request, httplib::Response& response) {
          if (response.status != 404) return;
          response.set_content(
              fmt::format("nothing is at {}; try /metrics, /healthz or "
                          "/readyz\n",
                          request.path),
              kText);
        });
  }

  ~HttplibAdmin() override {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Listen() {
    auto address = Parse(options_.address);
    if (!address.ok()) return address.status();
    port_ = address->port;
    const bool bound =
        port_ == 0 ? (port_ = server_.bind_to_any_port(address->host)) > 0
                   : server_.bind_to_port(address->host, port_);
    if (!bound) {
      return absl::UnavailableError(fmt::format(
          "admin = {} cannot be listened on: another program has the port, or "
          "the address is not this machine's",
          options_.address));
    }
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    // A stop before the loop runs would be lost.
    while (!server_.is_running()) std::this_thread::yield();
    return absl::OkStatus();
  }

  int port() const override { return port_; }

 private:
  Options options_;
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AdminHttp>> AdminHttp::Start(Options options) {
  auto admin = std::make_unique<HttplibAdmin>(std::move(options));
  if (auto status = admin->Listen(); !status.ok()) return status;
  return std::unique_ptr<AdminHttp>(std::move(admin));
}

}  // namespace bandit::control
