// SPDX-License-Identifier: Apache-2.0
// Why a connection ended: few, so that each can be a metric's label.
#ifndef BANDIT_ROUTER_HTTP2_CLOSE_REASON_H_
#define BANDIT_ROUTER_HTTP2_CLOSE_REASON_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bandit::http2 {

enum class CloseReason : uint8_t {
  kOrderly,           // Drained, or the router stops.
  kPeer,              // The other side closed, or the network did.
  kIdleTimeout,       // No request for too long.
  kProtocolError,     // The peer broke HTTP/2.
  kNotHttp2,          // The peer speaks something else.
  kFlood,             // More than a peer in its senses sends.
  kHeaderTimeout,     // Preface or headers took too long.
  kStallTimeout,      // The peer takes nothing of what waits for it.
  kKeepaliveTimeout,  // No answer to a PING.
  kMaxConnections,    // There were enough already.
};

inline constexpr size_t kCloseReasons = 10;

inline constexpr std::array<std::string_view, kCloseReasons> kCloseReasonNames =
    {"orderly",           "peer",           "idle_timeout",   "protocol_error",
     "not_http2",         "flood",          "header_timeout", "stall_timeout",
     "keepalive_timeout", "max_connections"};

constexpr std::string_view CloseReasonName(CloseReason reason) {
  return kCloseReasonNames[static_cast<size_t>(reason)];
}

// Whether the router ended the connection against the peer's will.
constexpr bool IsCut(CloseReason reason) {
  return reason > CloseReason::kIdleTimeout;
}

}  // namespace bandit::http2

#endif  // BANDIT_ROUTER_HTTP2_CLOSE_REASON_H_
