// SPDX-License-Identifier: Apache-2.0
// The admin HTTP server: /metrics, /healthz, /readyz.
#ifndef BANDIT_ROUTER_CONTROL_ADMIN_HTTP_H_
#define BANDIT_ROUTER_CONTROL_ADMIN_HTTP_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "prometheus/collectable.h"

namespace bandit::control {

// Serves from few threads, one request a connection, so that an idle scraper
// holds none of them. Stops when destroyed.
class AdminHttp {
 public:
  struct Options {
    // `host:port`, `[::1]:port`; port 0 takes a free one.
    std::string address;
    std::vector<std::shared_ptr<const prometheus::Collectable>> metrics;
    // OK if requests can be served, else why not. Any thread may call it.
    std::function<absl::Status()> ready;
  };

  // Fails with InvalidArgument if the address is malformed, Unavailable if it
  // cannot be listened on.
  static absl::StatusOr<std::unique_ptr<AdminHttp>> Start(Options options);

  virtual ~AdminHttp() = default;
  virtual int port() const = 0;
};

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_ADMIN_HTTP_H_
