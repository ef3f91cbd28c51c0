// SPDX-License-Identifier: Apache-2.0
// What a connection allows its peer, in bytes, in number and in time.
#ifndef BANDIT_ROUTER_HTTP2_SESSION_OPTIONS_H_
#define BANDIT_ROUTER_HTTP2_SESSION_OPTIONS_H_

#include <nghttp2/nghttp2.h>

#include <cstdint>

#include "absl/time/time.h"

namespace bandit::http2 {

struct SessionOptions {
  int32_t stream_window = 256 * 1024;
  // For the whole connection.
  int32_t connection_window = 16 * 1024 * 1024;
  uint32_t max_concurrent_streams = 1000;
  uint32_t max_header_list = 64 * 1024;

  // Limits of time; zero: none. See Session::OnTime.
  //
  // Until the peer has said its preface and SETTINGS, and for a header section
  // that it began.
  absl::Duration header_timeout;
  // Without a stream: the connection is drained.
  absl::Duration idle_timeout;
  // In which the peer takes nothing of what waits for it.
  absl::Duration stall_timeout;
  // A connection with streams that has been silent for this long gets a PING,
  absl::Duration keepalive;
  // whose answer may take this long.
  absl::Duration keepalive_timeout;

  friend bool operator==(const SessionOptions&,
                         const SessionOptions&) = default;
};

// A new nghttp2 session with its SETTINGS submitted; the caller deletes it.
nghttp2_session* NewNghttp2(bool server, const SessionOptions& options,
                            const nghttp2_session_callbacks* callbacks,
                            void* user_data);

}  // namespace bandit::http2

#endif  // BANDIT_ROUTER_HTTP2_SESSION_OPTIONS_H_
