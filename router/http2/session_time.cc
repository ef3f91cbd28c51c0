// SPDX-License-Identifier: Apache-2.0
// The session's limits of time, behind one timer. Requests only note times;
// nothing is set or unset for each.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "router/http2/session.h"

namespace bandit::http2 {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

std::string Seconds(int64_t ns) {
  return absl::FormatDuration(absl::Nanoseconds(ns));
}

}  // namespace

Session::Limits::Limits(const SessionOptions& options)
    : header(absl::ToInt64Nanoseconds(options.header_timeout)),
      idle(absl::ToInt64Nanoseconds(options.idle_timeout)),
      stall(absl::ToInt64Nanoseconds(options.stall_timeout)),
      keepalive(absl::ToInt64Nanoseconds(options.keepalive)),
      keepalive_timeout(absl::ToInt64Nanoseconds(options.keepalive_timeout)) {}

void Session::OnTime() {
  if (dead_) return;
  const int64_t now = loop_.now();
  if (limits_.header > 0 && header_since_ns_ > 0 &&
      now - header_since_ns_ >= limits_.header) {
    Terminate(NGHTTP2_NO_ERROR,
              fmt::format("no complete {} within {}",
                          settings_received_ ? "headers" : "preface",
                          Seconds(limits_.header)),
              CloseReason::kHeaderTimeout);
    return;
  }
  if (CutIfStalled(now) || CutIfSilent(now)) return;
  DrainIfIdle(now);
  if (!dead_) WatchNext(now);
}

void Session::WatchUntil(int64_t at_ns) {
  if (watch_.set() && watch_at_ns_ <= at_ns) return;
  watch_at_ns_ = at_ns;
  loop_.wheel().Set(watch_, at_ns);
}

void Session::WatchNext(int64_t now) {
  int64_t next = kNever;
  if (limits_.header > 0 && header_since_ns_ > 0) {
    next = std::min(next, header_since_ns_ + limits_.header);
  }
  if (limits_.idle > 0 && !draining_) {
    const int64_t since = stream_count_ == 0 ? idle_since_ns_ : now;
    next = std::min(next, since + limits_.idle);
  }
  if (limits_.stall > 0) next = std::min(next, now + limits_.stall / 2);
  if (ping_ns_ > 0) {
    next = std::min(next, ping_ns_ + limits_.keepalive_timeout);
  } else if (limits_.keepalive > 0) {
    next = std::min(next, now + limits_.keepalive / 2);
  }
  if (next != kNever) WatchUntil(next);
}

void Session::NoteHeaders() {
  if (!guard_.in_header_section()) {
    if (settings_received_) header_since_ns_ = 0;
    return;
  }
  if (header_section_ == guard_.sections()) return;
  header_section_ = guard_.sections();
  if (!settings_received_) return;  // The connection's own limit goes on.
  header_since_ns_ = loop_.now();
  if (limits_.header > 0) WatchUntil(header_since_ns_ + limits_.header);
}

bool Session::Stuck(const Stream& stream, bool window_closed) const {
  if (stream.id_ == 0 || Waits(stream) || !stream.HasOutput()) return false;
  return window_closed || nghttp2_session_get_stream_remote_window_size(
                              session_, stream.id_) == 0;
}

bool Session::CutIfStalled(int64_t now) {
  if (limits_.stall == 0) return false;
  bool nothing_moves =
      waiting_write_ && now - write_blocked_ns_ >= limits_.stall;
  const bool closed = nghttp2_session_get_remote_window_size(session_) <= 0;
  for (Stream* s = streams_; s != nullptr && !nothing_moves; s = s->next_) {
    if (!Stuck(*s, closed)) {
      s->stuck_since_ns_ = 0;
    } else if (s->stuck_since_ns_ == 0) {
      s->stuck_since_ns_ = now;
    } else if (now - s->stuck_since_ns_ >= limits_.stall) {
      // Others of the connection may go on.
      nothing_moves = moved_ns_ <= s->stuck_since_ns_;
      if (!nothing_moves) Reset(s->id_, NGHTTP2_CANCEL);
    }
  }
  if (!nothing_moves) return false;
  Terminate(NGHTTP2_NO_ERROR,
            fmt::format("the peer took nothing of what waited for {}",
                        Seconds(limits_.stall)),
            CloseReason::kStallTimeout);
  return true;
}

bool Session::CutIfSilent(int64_t now) {
  if (ping_ns_ > 0) {
    if (now - ping_ns_ < limits_.keepalive_timeout) return false;
    Terminate(NGHTTP2_NO_ERROR,
              fmt::format("no answer to a PING within {}",
                          Seconds(limits_.keepalive_timeout)),
              CloseReason::kKeepaliveTimeout);
    return true;
  }
  // An idle connection is left alone: servers count such PINGs as a flood.
  if (limits_.keepalive == 0 || stream_count_ == 0 || waiting_write_ ||
      now - read_ns_ < limits_.keepalive) {
    return false;
  }
  constexpr std::array<uint8_t, 8> kPing = {'k'};
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, kPing.data());
  ping_ns_ = now;
  MarkDirty();
  return false;
}

void Session::DrainIfIdle(int64_t now) {
  if (limits_.idle == 0 || stream_count_ > 0 || draining_ || drain_announced_ ||
      now - idle_since_ns_ < limits_.idle) {
    return;
  }
  closed_for_ = CloseReason::kIdleTimeout;
  Drain();
}

}  // namespace bandit::http2
