// SPDX-License-Identifier: Apache-2.0
#include "router/upstream/endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bandit::upstream {

Endpoint::Endpoint(http2::Loop& loop, const BackendOptions& options,
                   Address address, std::mt19937_64& random, Events events)
    : address_(std::move(address)),
      name_(address_.ToString()),
      events_(std::move(events)),
      pool_(loop, address_, options.pool, random,
            {.on_change = [this] { OnPoolChange(); },
             .on_error =
                 [this](const std::string& why) { events_.on_error(why); }}) {
  if (!options.health_check.has_value()) return;
  const std::string& host = address_.server_name();
  health_ = std::make_unique<HealthCheck>(
      *options.health_check, host.empty() ? "localhost" : host, random,
      HealthCheck::Events{.session = [this] { return pool_.Take(); },
                          .on_result =
                              [this](const std::string& why) {
                                if (!why.empty()) {
                                  events_.on_error(fmt::format(
                                      "{}: health check: {}", name_, why));
                                }
                                events_.on_check(why.empty());
                              },
                          .on_change = [this] { events_.on_change(); }});
}

void Endpoint::OnPoolChange() {
  if (health_ != nullptr && pool_.connected() && !health_->healthy()) {
    health_->Hurry();
  }
  events_.on_change();
}

Endpoint::State Endpoint::state() const {
  if (!healthy()) return State::kUnhealthy;
  if (outlier_.ejected()) return State::kEjected;
  if (pool_.connected()) return State::kReady;
  return pool_.failures() > 0 ? State::kBackoff : State::kConnecting;
}

int64_t Endpoint::Tick(int64_t now_ns) {
  if (outlier_.Return(now_ns)) events_.on_change();
  if (health_ != nullptr) pool_.Wake();
  int64_t next = pool_.Tick(now_ns);
  if (outlier_.ejected()) next = std::min(next, outlier_.until_ns());
  // A connection that is only being made is no reason to call it ill.
  if (health_ != nullptr &&
      (pool_.connected() || pool_.failures() > 0 || health_->under_way())) {
    next = std::min(next, health_->Tick(now_ns));
  }
  return next;
}

std::string_view Name(Endpoint::State state) {
  constexpr std::string_view kNames[Endpoint::kStates] = {
      "ready", "connecting", "backoff", "unhealthy", "ejected"};
  return kNames[static_cast<size_t>(state)];
}

}  // namespace bandit::upstream
