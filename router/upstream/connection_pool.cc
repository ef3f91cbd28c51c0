// SPDX-License-Identifier: Apache-2.0
#include "router/upstream/connection_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "router/upstream/connector.h"

namespace bandit::upstream {
namespace {

constexpr int64_t kFirstBackoffNs = 50'000'000;
constexpr int64_t kLongestBackoffNs = 5'000'000'000;

// A fifth more or less at random, so that routers do not come back together.
int64_t BackoffNs(int failures, std::mt19937_64& random) {
  const int64_t wait = std::min(kLongestBackoffNs,
                                kFirstBackoffNs << std::min(failures - 1, 20));
  const double jitter = static_cast<double>(random() >> 11) * 0x1p-53 - 0.5;
  return wait + static_cast<int64_t>(jitter * 0.4 * static_cast<double>(wait));
}

}  // namespace

ConnectionPool::ConnectionPool(http2::Loop& loop, Address address,
                               const PoolOptions& options,
                               std::mt19937_64& random, Events events)
    : loop_(loop),
      address_(std::move(address)),
      options_(options),
      random_(random),
      events_(std::move(events)) {}

ConnectionPool::~ConnectionPool() {
  *alive_ = false;
  for (const Connection& c : std::exchange(connections_, {})) {
    c.session->Close("the router no longer uses this backend");
  }
}

const ConnectionPool::Connection* ConnectionPool::Find(
    bool (*fits)(const Connection&)) const {
  const auto found =
      std::find_if(connections_.begin(), connections_.end(), fits);
  return found == connections_.end() ? nullptr : &*found;
}

http2::Session* ConnectionPool::Take() {
  Connection* least = nullptr;
  size_t count = 0;
  for (Connection& c : connections_) {
    if (!c.alive()) continue;
    ++count;
    if (!Connection::Usable(c)) continue;
    if (c.session->HasCapacity()) {
      c.used_ns = loop_.now();
      return c.session.get();
    }
    if (least == nullptr ||
        c.session->stream_count() < least->session->stream_count()) {
      least = &c;
    }
  }
  if (least == nullptr) return nullptr;
  peer_streams_ = least->session->max_streams();
  for (Connection& c : connections_) {
    if (Connection::Waiting(c) && c.session->stream_count() < peer_streams_) {
      return c.session.get();
    }
  }
  const bool grow = count < options_.max_connections && !draining_ &&
                    loop_.now() >= retry_at_ns_;
  return grow ? Open() : least->session.get();
}

http2::Session* ConnectionPool::TakeUnconnected() {
  if (const Connection* c = Find(&Connection::Waiting)) return c->session.get();
  const bool wait = loop_.now() < std::min(retry_at_ns_, demand_at_ns_);
  if (draining_ || wait) return nullptr;
  return Open();
}

http2::Session* ConnectionPool::Open() {
  wanted_ = true;
  opened_at_ns_ = loop_.now();
  http2::Session::Events events;
  events.on_dead = [this, alive = alive_](http2::Session& session,
                                          const std::string& why) {
    if (*alive) OnDead(session, why);
  };
  events.on_settings = [this, alive = alive_](http2::Session& session) {
    if (*alive) OnSettings(session);
  };
  auto session =
      std::make_shared<http2::Session>(loop_, http2::Session::Role::kClient,
                                       options_.session, std::move(events));
  connections_.push_back({session, opened_at_ns_, opened_at_ns_});
  Connect(loop_.io(), address_, options_.connect_timeout, options_.tls,
          [this, alive = alive_, session](
              std::unique_ptr<http2::Transport> transport,
              const std::string& error) {
            if (*alive) OnConnected(*session, std::move(transport), error);
          });
  return session.get();
}

void ConnectionPool::OnConnected(http2::Session& session,
                                 std::unique_ptr<http2::Transport> transport,
                                 const std::string& error) {
  if (session.dead()) return;
  if (transport == nullptr) {
    const std::string why = fmt::format("{}: {}", address_.ToString(), error);
    NoteFailure(session, why);
    session.Close(why);
    return;
  }
  session.Start(std::move(transport));
  if (draining_) session.Drain();
}

void ConnectionPool::OnSettings(http2::Session& session) {
  failures_ = 0;
  retry_at_ns_ = 0;
  peer_streams_ = session.max_streams();
  events_.on_change();
}

void ConnectionPool::NoteFailure(const http2::Session& session,
                                 const std::string& why) {
  for (Connection& c : connections_) {
    if (c.session.get() != &session || std::exchange(c.failed, true)) continue;
    ++failures_;
    const int64_t now = loop_.UpdateTime();
    retry_at_ns_ = now + BackoffNs(failures_, random_);
    demand_at_ns_ = now + std::max(kFirstBackoffNs, now - c.opened_ns);
    events_.on_error(why);
  }
}

void ConnectionPool::OnDead(http2::Session& session, const std::string& why) {
  if (!session.settled() && !draining_) {
    NoteFailure(session, fmt::format("{}: {}", address_.ToString(), why));
  }
  std::erase_if(connections_, [&](const Connection& c) {
    return c.session.get() == &session;
  });
  events_.on_change();
}

int64_t ConnectionPool::Tick(int64_t now_ns) {
  int64_t next = kNever;
  CloseUnsettled(now_ns, &next);
  CloseIdle(now_ns, &next);
  if (!wanted_ || draining_ || connected()) return next;
  if (Find(&Connection::Waiting) == nullptr) {
    // A peer that takes connections only to close them is asked now and then,
    // not all the time.
    const int64_t due = std::max(retry_at_ns_, opened_at_ns_ + kFirstBackoffNs);
    if (now_ns < due) return std::min(next, due);
    Open();
    CloseUnsettled(now_ns, &next);
  }
  return next;
}

void ConnectionPool::CloseUnsettled(int64_t now_ns, int64_t* next) {
  const int64_t timeout = absl::ToInt64Nanoseconds(options_.connect_timeout);
  std::vector<std::shared_ptr<http2::Session>> late;
  for (const Connection& c : connections_) {
    if (c.session->dead() || c.session->settled()) continue;
    if (now_ns >= c.opened_ns + timeout) {
      late.push_back(c.session);
    } else {
      *next = std::min(*next, c.opened_ns + timeout);
    }
  }
  // Closing edits the list.
  for (const auto& session : late) {
    const std::string why =
        fmt::format("{}: no {} within {}", address_.ToString(),
                    session->started() ? "HTTP/2 SETTINGS" : "connection",
                    absl::FormatDuration(options_.connect_timeout));
    NoteFailure(*session, why);
    session->Close(why);
  }
}

void ConnectionPool::CloseIdle(int64_t now_ns, int64_t* next) {
  const int64_t timeout = absl::ToInt64Nanoseconds(options_.idle_timeout);
  if (timeout == 0) return;
  std::vector<std::shared_ptr<http2::Session>> idle;
  for (Connection& c : connections_) {
    if (!Connection::Usable(c)) continue;
    if (c.session->stream_count() > 0) c.used_ns = now_ns;
    if (now_ns >= c.used_ns + timeout) {
      idle.push_back(c.session);
    } else {
      *next = std::min(*next, c.used_ns + timeout);
    }
  }
  // Nobody needs the backend at present.
  if (!idle.empty() && idle.size() == connections_.size()) wanted_ = false;
  for (const auto& session : idle) session->Close("not used any more");
}

void ConnectionPool::Drain() {
  draining_ = true;
  for (const Connection& c : std::vector(connections_)) c.session->Drain();
}

}  // namespace bandit::upstream
