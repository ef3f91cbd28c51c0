// SPDX-License-Identifier: Apache-2.0
#include "router/upstream/backend_options.h"

namespace bandit::upstream {
namespace {

int64_t Nanoseconds(const google::protobuf::Duration& duration) {
  return duration.seconds() * 1'000'000'000 + duration.nanos();
}

}  // namespace

BackendOptions OptionsOf(const std::string& name,
                         const v1::BackendConfig& config,
                         const http2::SessionOptions& session) {
  BackendOptions options;
  options.name = name;
  for (const std::string& text : config.address()) {
    options.addresses.push_back(ParseAddress(text).value());
  }
  options.pool.max_connections = config.max_connections();
  options.pool.connect_timeout =
      absl::Nanoseconds(Nanoseconds(config.connect_timeout()));
  options.pool.idle_timeout =
      absl::Nanoseconds(Nanoseconds(config.idle_timeout()));
  options.pool.session = session;
  // The rest of its times is the pool's: connect_timeout and idle_timeout.
  options.pool.session.keepalive =
      absl::Nanoseconds(Nanoseconds(config.keepalive()));
  options.pool.session.keepalive_timeout =
      absl::Nanoseconds(Nanoseconds(config.keepalive_timeout()));
  if (config.load_balancing() == v1::LOAD_BALANCING_ROUND_ROBIN) {
    options.balancing = Balancing::kRoundRobin;
  }
  options.slow_start_ns = Nanoseconds(config.slow_start());
  options.resolve_every_ns = Nanoseconds(config.resolve_every());
  const v1::OutlierConfig& outliers = config.outliers();
  options.outliers = {.consecutive_failures = outliers.consecutive_failures(),
                      .base_ejection_ns = Nanoseconds(outliers.base_ejection()),
                      .max_ejection_ns = Nanoseconds(outliers.max_ejection()),
                      .max_share = outliers.max_share()};
  if (config.has_health_check()) {
    const v1::HealthCheckConfig& check = config.health_check();
    options.health_check = {.service = check.service(),
                            .interval_ns = Nanoseconds(check.interval()),
                            .timeout_ns = Nanoseconds(check.timeout()),
                            .unhealthy_after = check.unhealthy_after(),
                            .healthy_after = check.healthy_after()};
  }
  return options;
}

}  // namespace bandit::upstream
