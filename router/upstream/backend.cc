// SPDX-License-Identifier: Apache-2.0
#include "router/upstream/backend.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace bandit::upstream {
namespace {

Resolver ResolverOf(const BackendOptions& options, http2::Loop& loop) {
  return options.resolver ? options.resolver : SystemResolver(loop.io());
}

}  // namespace

Backend::Backend(http2::Loop& loop, BackendOptions options)
    : loop_(loop),
      options_(std::move(options)),
      random_(options_.seed),
      balancer_(options_.balancing, options_.slow_start_ns),
      names_(options_.addresses, ResolverOf(options_, loop),
             options_.resolve_every_ns,
             [this](const absl::Status& status) { OnNames(status); }),
      timer_(loop.io()) {
  for (Address& address : names_.targets()) {
    endpoints_.push_back(MakeEndpoint(std::move(address)));
  }
  Refresh();
}

Backend::~Backend() {
  *alive_ = false;
  // Their streams are told while the rest of this object is still there.
  ready_.clear();
  endpoints_.clear();
  leaving_.clear();
}

std::unique_ptr<Endpoint> Backend::MakeEndpoint(Address address) {
  return std::make_unique<Endpoint>(
      loop_, options_, std::move(address), random_,
      Endpoint::Events{
          .on_change =
              [this] {
                Refresh();
                Arm(loop_.now());
              },
          .on_error = [this](const std::string& why) { last_error_ = why; },
          .on_check =
              [this](bool ok) {
                ++(ok ? counts_.checks_passed : counts_.checks_failed);
                Arm(loop_.now());
              }});
}

// --- requests

Backend::Lease Backend::Acquire(const Endpoint* avoid) {
  // Streams that end with this object may ask for another place.
  if (!*alive_) return {};
  if (options_.circuit != nullptr && !options_.circuit->Enter()) {
    ++counts_.circuit_open;
    return {.refusal = Refusal::kCircuitOpen};
  }
  const Lease lease = Pick(avoid);
  if (!lease && options_.circuit != nullptr) options_.circuit->Leave();
  return lease;
}

Backend::Lease Backend::Grant(Endpoint& endpoint, http2::Session* session) {
  ++endpoint.leases;
  return {session, &endpoint};
}

Backend::Lease Backend::Pick(const Endpoint* avoid) {
  if (asleep_ > 0) Warm();
  while (!ready_.empty()) {
    auto& endpoint = static_cast<Endpoint&>(
        *balancer_.Choose(ready_, avoid, loop_.now(), random_));
    if (&endpoint == avoid) break;
    if (http2::Session* session = endpoint.pool().Take()) {
      return Grant(endpoint, session);
    }
    // Its connections say GOAWAY: it is ready no more.
    Refresh();
    Arm(loop_.now());
  }
  return PickUnready(avoid);
}

Backend::Lease Backend::PickUnready(const Endpoint* avoid) {
  using State = Endpoint::State;
  // The best first: being connected to; the one to avoid, if it is ready; what
  // is out but connected; what may be connected to.
  const auto try_one = [&](int round, Endpoint& endpoint) -> http2::Session* {
    const State state = endpoint.state();
    ConnectionPool& pool = endpoint.pool();
    switch (round) {
      case 0:
        if (state != State::kConnecting || &endpoint == avoid) return nullptr;
        return pool.TakeUnconnected();
      case 1:
        return state == State::kReady ? pool.Take() : nullptr;
      case 2:
        return &endpoint == avoid ? nullptr : pool.Take();
      default:
        if (http2::Session* session = pool.Take()) return session;
        return pool.TakeUnconnected();
    }
  };
  constexpr int kRounds = 4;
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < endpoints_.size(); ++i) {
      Endpoint& endpoint = *endpoints_[next_++ % endpoints_.size()];
      if (http2::Session* session = try_one(round, endpoint)) {
        Arm(loop_.now());
        return Grant(endpoint, session);
      }
    }
  }
  return {};
}

void Backend::Release(const Lease& lease, Outcome outcome) {
  Endpoint& endpoint = *lease.endpoint;
  --endpoint.leases;
  if (options_.circuit != nullptr) options_.circuit->Leave();
  if (!*alive_) return;
  if (endpoint.leaving) {
    if (endpoint.leases == 0) Arm(loop_.now());
    return;
  }
  switch (outcome) {
    case Outcome::kAnswered:
      endpoint.outlier().OnAnswered();
      break;
    case Outcome::kFailed:
      if (endpoint.outlier().OnFailed(options_.outliers)) Eject(endpoint);
      break;
    case Outcome::kAbandoned:
      break;
  }
}

std::string Backend::WhyNone(const Lease& lease) const {
  if (lease.refusal == Refusal::kCircuitOpen) {
    return fmt::format("max_requests = {} are under way",
                       options_.circuit->max());
  }
  return last_error_.empty() ? "no endpoint can be connected to" : last_error_;
}

// --- endpoints

void Backend::Eject(Endpoint& endpoint) {
  const auto ejected = static_cast<size_t>(
      std::count_if(endpoints_.begin(), endpoints_.end(),
                    [](const auto& e) { return e->outlier().ejected(); }));
  if (!MayEject(ejected, endpoints_.size(), options_.outliers)) return;
  endpoint.outlier().Eject(options_.outliers, loop_.now(), random_);
  ++counts_.ejections;
  Refresh();
  Arm(endpoint.outlier().until_ns());
}

void Backend::Refresh() {
  if (!*alive_) return;
  const bool was_available = available_;
  available_ = false;
  ready_.clear();
  asleep_ = 0;
  for (const auto& endpoint : endpoints_) {
    const Endpoint::State state = endpoint->state();
    if (state != endpoint->seen) OnState(*endpoint, state);
    if (state == Endpoint::State::kReady) ready_.push_back(endpoint.get());
    if (endpoint->pool().asleep()) ++asleep_;
    available_ |= state == Endpoint::State::kReady ||
                  state == Endpoint::State::kConnecting;
  }
  if (was_available && !available_) {
    spdlog::warn(
        "backend {}: no endpoint is available: {}; is a model server running "
        "there, and is backends.{}.address right?",
        options_.name, last_error_, options_.name);
    names_.Hurry(loop_.now());
    Arm(loop_.now());
  }
}

void Backend::OnState(Endpoint& endpoint, Endpoint::State state) {
  using State = Endpoint::State;
  const State before = std::exchange(endpoint.seen, state);
  const auto is_out = [](State s) {
    return s != State::kReady && s != State::kConnecting;
  };
  if (state == State::kReady &&
      (is_out(before) || std::exchange(endpoint.added, false))) {
    endpoint.in_since_ns = loop_.now();  // Slow start.
  }
  if (is_out(before) == is_out(state)) return;
  if (is_out(state)) {
    spdlog::warn(
        "backend {}: {} is {}: {}", options_.name, endpoint.name(), Name(state),
        state == State::kEjected ? "its requests failed" : last_error_);
  } else {
    spdlog::info("backend {}: {} is {} again", options_.name, endpoint.name(),
                 Name(state));
  }
}

void Backend::OnNames(const absl::Status& status) {
  if (!status.ok()) {
    const absl::string_view why = status.message();
    last_error_ = std::string(why.data(), why.size());
    // They look the name up, too, and are out if that fails.
    for (const auto& endpoint : endpoints_) {
      if (endpoint->address().is_name()) endpoint->pool().Wake();
    }
    Arm(loop_.UpdateTime());
    return;
  }
  Endpoints before = std::exchange(endpoints_, {});
  // Before the first answer a name stands for itself: what follows is no
  // addition.
  const bool first = std::any_of(
      before.begin(), before.end(),
      [](const auto& endpoint) { return endpoint->address().is_name(); });
  for (Address& address : names_.targets()) {
    const auto known =
        std::find_if(before.begin(), before.end(), [&](const auto& endpoint) {
          return endpoint != nullptr && endpoint->address() == address;
        });
    if (known != before.end()) {
      endpoints_.push_back(std::move(*known));
      continue;
    }
    endpoints_.push_back(MakeEndpoint(std::move(address)));
    endpoints_.back()->added = !first;
    if (warm_) endpoints_.back()->pool().Wake();
  }
  for (std::unique_ptr<Endpoint>& endpoint : before) {
    if (endpoint == nullptr) continue;
    endpoint->leaving = true;
    leaving_.push_back(std::move(endpoint));
    leaving_.back()->pool().Drain();
  }
  loop_.UpdateTime();
  Refresh();
  Arm(loop_.now());
}

void Backend::Warm() {
  warm_ = true;
  for (const auto& endpoint : endpoints_) {
    // What a name stands for is found out first.
    if (!endpoint->address().is_name()) endpoint->pool().Wake();
  }
  Refresh();
  Arm(loop_.now());
}

// --- time

void Backend::Tick() {
  armed_for_ns_ = Names::kNever;
  const int64_t now = loop_.now();
  int64_t next = names_.Tick(now);
  // Ticks tell of changes, which never alter endpoints_.
  for (const auto& endpoint : endpoints_) {
    next = std::min(next, endpoint->Tick(now));
  }
  std::erase_if(leaving_, [&](const auto& endpoint) {
    if (endpoint->leases == 0) return true;
    next = std::min(next, endpoint->pool().Tick(now));
    return false;
  });
  Arm(next);
}

void Backend::Arm(int64_t at_ns) {
  if (at_ns >= armed_for_ns_) return;
  armed_for_ns_ = at_ns;
  timer_.expires_after(
      std::chrono::nanoseconds(std::max<int64_t>(0, at_ns - loop_.now())));
  timer_.async_wait([this, alive = alive_](std::error_code error) {
    if (error || !*alive) return;
    loop_.UpdateTime();
    Tick();
  });
}

bool Backend::connected() const {
  return std::any_of(endpoints_.begin(), endpoints_.end(),
                     [](const auto& e) { return e->pool().connected(); });
}

Backend::Gauges Backend::gauges() const {
  Gauges gauges;
  for (const auto& endpoint : endpoints_) {
    ++gauges.endpoints[static_cast<size_t>(endpoint->state())];
    gauges.connections += static_cast<int64_t>(endpoint->pool().size());
  }
  for (const auto& endpoint : leaving_) {
    gauges.connections += static_cast<int64_t>(endpoint->pool().size());
  }
  return gauges;
}

}  // namespace bandit::upstream
