// SPDX-License-Identifier: Apache-2.0
#include "router/http2/session_options.h"

#include <array>

namespace bandit::http2 {
namespace {

// Streams that a client may cancel before its connection is cut (the remedy to
// CVE-2023-44487). nghttp2's own 33 a second cuts off a client that hedges.
constexpr uint64_t kResetBurst = 10'000;
constexpr uint64_t kResetsPerSecond = 1'000;

nghttp2_option* NewOption(const SessionOptions& options) {
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  // Until its SETTINGS have come: a burst on a new connection must not find
  // that the peer takes fewer streams.
  nghttp2_option_set_peer_max_concurrent_streams(option, 0);
  // Else 64 KiB, and a section that was let in could not be passed on. What the
  // router adds is far less.
  nghttp2_option_set_max_send_header_block_length(
      option, options.max_header_list + size_t{64} * 1024);
  nghttp2_option_set_stream_reset_rate_limit(option, kResetBurst,
                                             kResetsPerSecond);
  return option;
}

}  // namespace

nghttp2_session* NewNghttp2(bool server, const SessionOptions& options,
                            const nghttp2_session_callbacks* callbacks,
                            void* user_data) {
  nghttp2_option* const option = NewOption(options);
  nghttp2_session* session = nullptr;
  if (server) {
    nghttp2_session_server_new2(&session, callbacks, user_data, option);
  } else {
    nghttp2_session_client_new2(&session, callbacks, user_data, option);
  }
  nghttp2_option_del(option);

  const std::array<nghttp2_settings_entry, 5> settings = {{
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
       static_cast<uint32_t>(options.stream_window)},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, options.max_header_list},
      // The priorities of RFC 7540 are deprecated, and their tree costs time.
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.max_concurrent_streams},
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
  }};
  // A server has no push to disable, a client takes no streams.
  const size_t count = server ? 4 : 5;
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), count);
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                        options.connection_window);
  return session;
}

}  // namespace bandit::http2
