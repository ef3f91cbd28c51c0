// SPDX-License-Identifier: Apache-2.0
#include "router/control/admin_http.h"

#include <httplib.h>
#include <sys/socket.h>

#include <charconv>
#include <string_view>
#include <thread>
#include <utility>

#include "fmt/format.h"
#include "router/control/http_lobby.h"
#include "router/control/http_stream.h"
#include "router/control/metrics.h"

namespace bandit::control {
namespace {

constexpr timeval kPatience = {.tv_sec = 5, .tv_usec = 0};
// What answers tell clients; the lobby's patience.
constexpr time_t kKeepAliveSeconds = 30;
constexpr size_t kMostBody = size_t{8} * 1024;
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

// Runs what it is given at once: a connection only goes to the lobby.
class AtOnce final : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> task) override { task(); }
  void shutdown() override {}
};

// cpp-httplib's server, but for who waits where.
class LobbyServer final : public httplib::Server {
 public:
  LobbyServer() {
    new_task_queue = [] { return new AtOnce; };
    // Not the library's SO_REUSEPORT: a second router on the port must fail.
    set_socket_options([](int socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    });
  }

  // Lets as many connections at once come in as the lobby holds: the library's
  // five make the sixth of a burst wait for a second and more.
  // REQUIRES: it is bound.
  void Widen() { ::listen(svr_sock_, SOMAXCONN); }

 private:
  bool process_and_close_socket(socket_t socket) override {
    for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
      setsockopt(socket, SOL_SOCKET, option, &kPatience, sizeof(kPatience));
    }
    lobby_.Admit(socket);
    return true;
  }

  // Whether the connection stays.
  bool ServeOne(int socket) {
    HttpStream stream(socket);
    bool closed = false;
    // What follows a body that was not read would be taken for a request.
    bool bodiless = false;
    const bool served =
        process_request(stream, /*close_connection=*/false, closed,
                        [&bodiless](const httplib::Request& request) {
                          bodiless = !request.has_header("Content-Length") &&
                                     !request.has_header("Transfer-Encoding");
                        });
    return served && bodiless && !closed && !stream.has_more();
  }

  // Last: its threads end before the rest does.
  HttpLobby lobby_{{.serve = [this](int socket) { return ServeOne(socket); }}};
};

HttpRequest ToRequest(const httplib::Request& from) {
  HttpRequest request{.method = from.method,
                      .path = from.path,
                      .query = {},
                      .host = from.get_header_value("Host"),
                      .authorization = from.get_header_value("Authorization"),
                      .content_type = from.get_header_value("Content-Type"),
                      .if_none_match = from.get_header_value("If-None-Match"),
                      .body = from.body};
  for (const auto& [key, value] : from.params) request.query[key] = value;
  return request;
}

class HttplibAdmin final : public AdminHttp {
 public:
  explicit HttplibAdmin(Options options) : options_(std::move(options)) {
    // Not its routes: they match regular expressions, which take a stack
    // frame for each letter of a path.
    server_.set_pre_routing_handler(
        [this](const httplib::Request& request, httplib::Response& response) {
          using enum httplib::Server::HandlerResponse;
          if (RefuseBody(request, &response)) return Handled;
          if (request.method == "POST" && request.path == options_.post_path) {
            return Unhandled;  // Its body is still to be read.
          }
          Answer(request, &response);
          return Handled;
        });
    server_.Post(options_.post_path, [this](const httplib::Request& request,
                                            httplib::Response& response) {
      Page(request, &response);
    });
    server_.set_keep_alive_timeout(kKeepAliveSeconds);
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
    server_.Widen();
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    // A stop before the loop runs would be lost.
    while (!server_.is_running()) std::this_thread::yield();
    return absl::OkStatus();
  }

  int port() const override { return port_; }

 private:
  // A body must say how long it is and be short: a thread that waits for it is
  // one fewer. Whether it was refused.
  static bool RefuseBody(const httplib::Request& request,
                         httplib::Response* response) {
    const bool chunked = request.has_header("Transfer-Encoding");
    const std::string length = request.get_header_value("Content-Length");
    size_t bytes = 0;
    std::from_chars(length.data(), length.data() + length.size(), bytes);
    if (!chunked && bytes <= kMostBody) return false;
    response->status = chunked ? 411 : 413;
    response->set_header("Connection", "close");
    response->set_content(
        fmt::format("a body needs a content-length of at most {} bytes\n",
                    kMostBody),
        kText);
    return true;
  }

  void Answer(const httplib::Request& request, httplib::Response* response) {
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (!reads) {
      response->status = 405;
      response->set_header("Allow", "GET, HEAD");
      response->set_header("Connection", "close");
      response->set_content("only GET and HEAD are answered here\n", kText);
    } else if (request.path == "/metrics") {
      response->set_content(ToPrometheusText(options_.metrics), kMetricsText);
    } else if (request.path == "/healthz") {
      response->set_content("ok\n", kText);
    } else if (request.path == "/readyz") {
      const absl::Status ready = options_.ready();
      response->status = ready.ok() ? 200 : 503;
      response->set_content(
          ready.ok()
              ? "ready\n"
              : fmt::format("not ready: {}\n", std::string(ready.message())),
          kText);
    } else {
      Page(request, response);
    }
  }

  void Page(const httplib::Request& request, httplib::Response* response) {
    if (!options_.pages) {
      response->status = 404;
      response->set_content(
          fmt::format("nothing is at {}; try /metrics, /healthz or /readyz\n",
                      request.path),
          kText);
      return;
    }
    const HttpAnswer answer = options_.pages(ToRequest(request));
    response->status = answer.status;
    for (const auto& [name, value] : answer.headers) {
      response->set_header(name, value);
    }
    // Without a body there is no type, either.
    if (answer.status != 304) response->set_content(answer.body, answer.type);
  }

  Options options_;
  int port_ = 0;
  LobbyServer server_;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AdminHttp>> AdminHttp::Start(Options options) {
  auto admin = std::make_unique<HttplibAdmin>(std::move(options));
  if (auto status = admin->Listen(); !status.ok()) return status;
  return std::unique_ptr<AdminHttp>(std::move(admin));
}

}  // namespace bandit::control
