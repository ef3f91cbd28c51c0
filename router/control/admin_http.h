// SPDX-License-Identifier: Apache-2.0
// The admin HTTP server: /metrics, /healthz, /readyz, and pages beside them.
#ifndef BANDIT_ROUTER_CONTROL_ADMIN_HTTP_H_
#define BANDIT_ROUTER_CONTROL_ADMIN_HTTP_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "prometheus/collectable.h"

namespace bandit::control {

struct HttpRequest {
  std::string method;  // GET, HEAD or POST.
  std::string path;    // Decoded, without the query.
  std::map<std::string, std::string> query;
  std::string host;           // As the client called this server.
  std::string authorization;  // Empty: none.
  std::string content_type;
  std::string if_none_match;
  std::string body;  // Of a POST, at most 8 KiB.
};

struct HttpAnswer {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// Serves from few threads; a connection that asks nothing holds none of them,
// and /metrics and the probes have theirs to themselves. Stops when destroyed.
class AdminHttp {
 public:
  struct Options {
    // `host:port`, `[::1]:port`; port 0 takes a free one.
    std::string address;
    std::vector<std::shared_ptr<const prometheus::Collectable>> metrics;
    // OK if requests can be served, else why not. Any thread may call it.
    std::function<absl::Status()> ready;
    // What answers at all other paths, on several threads at once; null:
    // nothing is there.
    std::function<HttpAnswer(const HttpRequest&)> pages;
    // Their one path that takes a POST.
    std::string post_path = "/";
  };

  // Fails with InvalidArgument if the address is malformed, Unavailable if it
  // cannot be listened on.
  static absl::StatusOr<std::unique_ptr<AdminHttp>> Start(Options options);

  virtual ~AdminHttp() = default;
  virtual int port() const = 0;
};

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_ADMIN_HTTP_H_
