// SPDX-License-Identifier: Apache-2.0
#include "router/upstream/backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "router/upstream/connector.h"

namespace bandit::upstream {
namespace {

// Connections of one worker to one address; past it requests queue in them.
constexpr size_t kMaxConnections = 32;

constexpr int64_t kFirstBackoffNs = 50'000'000;
constexpr int64_t kLongestBackoffNs = 5'000'000'000;

int64_t BackoffNs(int failures) {
  return std::min(kLongestBackoffNs,
                  kFirstBackoffNs << std::min(failures - 1, 20));
}

}  // namespace

Backend::Backend(http2::Loop& loop, BackendOptions options)
    : loop_(loop), options_(std::move(options)) {
  for (const Address& address : options_.addresses) {
    auto endpoint = std::make_unique<Endpoint>();
    endpoint->address = address;
    endpoint->name = address.ToString();
    endpoints_.push_back(std::move(endpoint));
  }
}

Backend::~Backend() {
  *alive_ = false;
  for (const auto& endpoint : endpoints_) {
    for (const auto& session : std::exchange(endpoint->sessions, {})) {
      session->Close("the router is stopping");
    }
  }
}

Backend::Lease Backend::Acquire(const Endpoint* avoid) {
  // Streams that end with this object may ask for another place.
  if (!*alive_) return {};
  Endpoint* last = nullptr;
  for (size_t i = 0; i < endpoints_.size(); ++i) {
    Endpoint& endpoint = *endpoints_[next_];
    next_ = (next_ + 1) % endpoints_.size();
    if (&endpoint == avoid) {
      last = &endpoint;
    } else if (http2::Session* session = AcquireAt(endpoint)) {
      return {session, &endpoint};
    }
  }
  if (last == nullptr) return {};
  return {AcquireAt(*last), last};
}

void Backend::Release(const Lease& lease, Outcome outcome) {}

std::string Backend::WhyNone(const Lease&) const { return last_error_; }

bool Backend::available() const { return true; }

http2::Session* Backend::AcquireAt(Endpoint& endpoint) {
  http2::Session* least = nullptr;
  size_t count = 0;
  for (const auto& session : endpoint.sessions) {
    if (session->dead() || session->draining()) continue;
    ++count;
    if (session->HasCapacity()) return session.get();
    if (least == nullptr || session->stream_count() < least->stream_count()) {
      least = session.get();
    }
  }
  if (count >= kMaxConnections) return least;
  if (loop_.now() < endpoint.retry_at_ns) return least;
  return Open(endpoint).get();
}

void Backend::Warm() {
  for (const auto& endpoint : endpoints_) {
    if (endpoint->sessions.empty() && loop_.now() >= endpoint->retry_at_ns) {
      Open(*endpoint);
    }
  }
}

std::shared_ptr<http2::Session> Backend::Open(Endpoint& endpoint) {
  http2::Session::Events events;
  events.on_dead = [this, alive = alive_, &endpoint](http2::Session& session,
                                                     const std::string&) {
    if (*alive) OnDead(endpoint, session);
  };
  auto session =
      std::make_shared<http2::Session>(loop_, http2::Session::Role::kClient,
                                       options_.session, std::move(events));
  endpoint.sessions.push_back(session);
  Connect(loop_.io(), endpoint.address, options_.connect_timeout,
          [this, alive = alive_, &endpoint, session](
              std::unique_ptr<http2::Transport> transport, std::string error) {
            if (*alive) {
              OnConnected(endpoint, *session, std::move(transport), error);
            }
          });
  return session;
}

void Backend::OnConnected(Endpoint& endpoint, http2::Session& session,
                          std::unique_ptr<http2::Transport> transport,
                          const std::string& error) {
  if (session.dead()) return;
  if (transport == nullptr) {
    last_error_ = fmt::format("{}: {}", endpoint.name, error);
    ++endpoint.failures;
    endpoint.retry_at_ns = loop_.UpdateTime() + BackoffNs(endpoint.failures);
    session.Close(last_error_);
    return;
  }
  endpoint.failures = 0;
  session.Start(std::move(transport));
  if (draining_) session.Drain();
}

void Backend::OnDead(Endpoint& endpoint, http2::Session& session) {
  std::erase_if(endpoint.sessions,
                [&](const auto& other) { return other.get() == &session; });
}

void Backend::Drain() {
  draining_ = true;
  for (const auto& endpoint : endpoints_) {
    // Drain may close a session at once, which edits the list.
    for (const auto& session : std::vector(endpoint->sessions)) {
      session->Drain();
    }
  }
}

bool Backend::connected() const {
  return std::any_of(
      endpoints_.begin(), endpoints_.end(), [](const auto& endpoint) {
        return std::any_of(endpoint->sessions.begin(), endpoint->sessions.end(),
                           [](const auto& session) {
                             return session->started() && !session->dead();
                           });
      });
}

}  // namespace bandit::upstream
