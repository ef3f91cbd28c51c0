// SPDX-License-Identifier: Apache-2.0
// nghttp2's callbacks, with access to the session's state.
#ifndef BANDIT_ROUTER_HTTP2_SESSION_CALLBACKS_H_
#define BANDIT_ROUTER_HTTP2_SESSION_CALLBACKS_H_

#include <nghttp2/nghttp2.h>

#include <cstdint>

#include "router/http2/session.h"

namespace bandit::http2 {

struct Session::Callbacks {
  static const nghttp2_session_callbacks* Table();

  // What a stream has to send: the data source of requests and responses.
  static ssize_t ReadBody(nghttp2_session* ng, int32_t id, uint8_t* buffer,
                          size_t size, uint32_t* flags,
                          nghttp2_data_source* source, void* user_data);

 private:
  static int OnBeginHeaders(nghttp2_session* ng, const nghttp2_frame* frame,
                            void* user_data);
  static int OnHeader(nghttp2_session* ng, const nghttp2_frame* frame,
                      nghttp2_rcbuf* name, nghttp2_rcbuf* value, uint8_t flags,
                      void* user_data);
  static int OnFrame(nghttp2_session* ng, const nghttp2_frame* frame,
                     void* user_data);
  static int OnInvalidFrame(nghttp2_session* ng, const nghttp2_frame* frame,
                            int error, void* user_data);
  static int OnDataChunk(nghttp2_session* ng, uint8_t flags, int32_t id,
                         const uint8_t* data, size_t size, void* user_data);
  static int OnStreamClose(nghttp2_session* ng, int32_t id, uint32_t error_code,
                           void* user_data);
  static int OnFrameSend(nghttp2_session* ng, const nghttp2_frame* frame,
                         void* user_data);
  static int SendData(nghttp2_session* ng, nghttp2_frame* frame,
                      const uint8_t* header, size_t size,
                      nghttp2_data_source* source, void* user_data);
  static void OnGoAway(Session& self);
  static void OnDrainPing(Session& self);
};

}  // namespace bandit::http2

#endif  // BANDIT_ROUTER_HTTP2_SESSION_CALLBACKS_H_
