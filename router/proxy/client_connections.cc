// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/client_connections.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace bandit::proxy {
namespace {

using http2::CloseReason;

constexpr int64_t kLogEveryNs = 1'000'000'000;

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) +
         absl::Nanoseconds(duration.nanos());
}

}  // namespace

http2::SessionOptions ClientSessionOptions(const v1::LimitsConfig& limits) {
  http2::SessionOptions options;
  options.stream_window = static_cast<int32_t>(limits.stream_window());
  options.connection_window =
      std::max(options.connection_window, options.stream_window);
  options.max_concurrent_streams = limits.max_concurrent_streams();
  options.max_header_list = static_cast<uint32_t>(limits.max_header_list());
  options.header_timeout = ToDuration(limits.header_timeout());
  options.idle_timeout = ToDuration(limits.idle_timeout());
  options.stall_timeout = ToDuration(limits.stall_timeout());
  options.keepalive = ToDuration(limits.keepalive());
  options.keepalive_timeout = ToDuration(limits.keepalive_timeout());
  return options;
}

ClientConnections::ClientConnections(http2::Loop& loop,
                                     std::atomic<uint32_t>* open,
                                     OnStream on_stream,
                                     std::function<void()> on_gone)
    : loop_(loop),
      open_(open),
      on_stream_(std::move(on_stream)),
      on_gone_(std::move(on_gone)) {}

ClientConnections::~ClientConnections() { CloseAll("the router is stopping"); }

void ClientConnections::Add(std::unique_ptr<http2::Transport> transport,
                            const v1::LimitsConfig& limits) {
  ++counts_.opened;
  const uint32_t before = open_->fetch_add(1, std::memory_order_relaxed);
  if (before >= limits.max_connections()) {
    open_->fetch_sub(1, std::memory_order_relaxed);
    const std::string peer = transport->peer();
    transport->Close();
    Count(CloseReason::kMaxConnections, peer,
          fmt::format("limits.max_connections = {} are open",
                      limits.max_connections()));
    return;
  }
  http2::Session::Events events;
  events.on_stream = on_stream_;
  events.on_dead = [this](http2::Session& session, const std::string& why) {
    open_->fetch_sub(1, std::memory_order_relaxed);
    Count(session.closed_for(), session.peer(), why);
    // In CloseAll the list has been emptied before.
    if (sessions_.erase(session.shared_from_this()) > 0 && sessions_.empty()) {
      on_gone_();
    }
  };
  auto session = std::make_shared<http2::Session>(
      loop_, http2::Session::Role::kServer, ClientSessionOptions(limits),
      std::move(events));
  sessions_.insert(session);
  session->Start(std::move(transport));
}

void ClientConnections::Drain() {
  // A session may end at once, which edits the list.
  for (const auto& session : std::set(sessions_)) session->Drain();
}

void ClientConnections::CloseAll(const std::string& why) {
  for (const auto& session : std::exchange(sessions_, {})) {
    session->Close(why);
  }
}

learning::ConnectionCounts ClientConnections::TakeCounts() {
  return std::exchange(counts_, {});
}

void ClientConnections::Count(CloseReason reason, const std::string& peer,
                              const std::string& why) {
  ++counts_.closed[static_cast<size_t>(reason)];
  if (http2::IsCut(reason)) Log(reason, peer, why);
}

void ClientConnections::Log(CloseReason reason, const std::string& peer,
                            const std::string& why) {
  LogState& state = log_[static_cast<size_t>(reason)];
  const int64_t now = loop_.UpdateTime();
  if (now < state.next_ns) {
    ++state.held_back;
    return;
  }
  state.next_ns = now + kLogEveryNs;
  const uint64_t held_back = std::exchange(state.held_back, 0);
  spdlog::warn(
      "the connection of client {} was cut ({}): {}{}", peer,
      http2::CloseReasonName(reason), why,
      held_back == 0
          ? ""
          : fmt::format("; so were {} before, for the same reason", held_back));
}

}  // namespace bandit::proxy
