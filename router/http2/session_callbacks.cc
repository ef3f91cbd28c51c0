// SPDX-License-Identifier: Apache-2.0
#include "router/http2/session_callbacks.h"

#include <utility>

namespace bandit::http2 {
namespace {

// nghttp2 counts a field as its octets and 32 (RFC 9113, section 10.5.1).
constexpr uint32_t kFieldOverhead = 32;

Session& Self(void* user_data) { return *static_cast<Session*>(user_data); }

}  // namespace

int Session::Callbacks::OnBeginHeaders(nghttp2_session* ng,
                                       const nghttp2_frame* frame,
                                       void* user_data) {
  Session& self = Self(user_data);
  self.header_target_ = nullptr;
  self.header_list_ = 0;
  if (frame->hd.type != NGHTTP2_HEADERS) return 0;
  const int32_t id = frame->hd.stream_id;
  Stream* stream;
  if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
    stream = self.draining_ ? nullptr : self.events_.on_stream(self, id);
    if (stream == nullptr) {
      nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, id,
                                NGHTTP2_REFUSED_STREAM);
      return 0;
    }
    nghttp2_session_set_stream_user_data(ng, id, stream);
    stream->id_ = id;
    self.Link(stream);
  } else {
    stream = self.Find(id);
  }
  if (stream != nullptr) self.header_target_ = stream->OnHeadersBegin();
  return 0;
}

int Session::Callbacks::OnHeader(nghttp2_session*, const nghttp2_frame*,
                                 nghttp2_rcbuf* name, nghttp2_rcbuf* value,
                                 uint8_t flags, void* user_data) {
  Session& self = Self(user_data);
  self.header_list_ +=
      static_cast<uint32_t>(nghttp2_rcbuf_get_buf(name).len +
                            nghttp2_rcbuf_get_buf(value).len + kFieldOverhead);
  if (self.header_list_ > self.max_header_list_) return 0;
  if (self.header_target_ != nullptr) {
    self.header_target_->Add(name, value, flags);
  }
  return 0;
}

int Session::Callbacks::OnFrame(nghttp2_session*, const nghttp2_frame* frame,
                                void* user_data) {
  Session& self = Self(user_data);
  switch (frame->hd.type) {
    case NGHTTP2_HEADERS: {
      Stream* stream = self.Find(frame->hd.stream_id);
      if (stream == nullptr) break;
      self.header_target_ = nullptr;
      const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
      stream->OnHeaders(self.header_list_ <= self.max_header_list_, end);
      if (end) stream->OnEnd();
      break;
    }
    case NGHTTP2_DATA:
      if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
        Stream* stream = self.Find(frame->hd.stream_id);
        if (stream != nullptr) stream->OnEnd();
      }
      break;
    case NGHTTP2_SETTINGS:
      if (std::exchange(self.settings_received_, true)) break;
      if (self.events_.on_settings) self.events_.on_settings(self);
      break;
    case NGHTTP2_GOAWAY:
      OnGoAway(self);
      break;
    case NGHTTP2_PING:
      if ((frame->hd.flags & NGHTTP2_FLAG_ACK) && self.drain_announced_ &&
          frame->ping.opaque_data[0] == kDrainPing) {
        OnDrainPing(self);
      }
      break;
    default:
      break;
  }
  return 0;
}

void Session::Callbacks::OnGoAway(Session& self) {
  self.draining_ = true;
  for (Stream* s = self.streams_; s != nullptr; s = s->next_) {
    if (self.Waits(*s)) self.Withdraw(*s, NGHTTP2_REFUSED_STREAM);
  }
}

// The answer to the ping that went with the shutdown notice: what the client
// had under way when it read the notice has arrived.
void Session::Callbacks::OnDrainPing(Session& self) {
  self.drain_announced_ = false;
  nghttp2_submit_goaway(self.session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(self.session_),
                        NGHTTP2_NO_ERROR, nullptr, 0);
  self.draining_ = true;
  self.MarkDirty();
}

// nghttp2 will reset the stream, if it did not end the connection.
int Session::Callbacks::OnInvalidFrame(nghttp2_session*,
                                       const nghttp2_frame* frame, int,
                                       void* user_data) {
  Session& self = Self(user_data);
  self.guard_.OnReset(frame->hd.stream_id, NGHTTP2_NO_ERROR, self.loop_.now());
  return 0;
}

int Session::Callbacks::OnDataChunk(nghttp2_session* ng, uint8_t, int32_t id,
                                    const uint8_t* data, size_t size,
                                    void* user_data) {
  Session& self = Self(user_data);
  // The connection's window is opened at once, so that a slow stream does
  // not hold up the others; its own stays closed until it is consumed.
  nghttp2_session_consume_connection(ng, size);
  Stream* stream = self.Find(id);
  if (stream != nullptr) stream->OnData(self.loop_.read_block(), data, size);
  return 0;
}

int Session::Callbacks::OnStreamClose(nghttp2_session*, int32_t id,
                                      uint32_t error_code, void* user_data) {
  Session& self = Self(user_data);
  Stream* stream = self.Find(id);
  if (stream == nullptr) return 0;
  stream->id_ = 0;
  if (self.filling_) {
    self.notes_.push_back({stream, Note::Kind::kClosed, error_code});
  } else {
    self.TellClosed(stream, error_code);
  }
  return 0;
}

int Session::Callbacks::OnFrameSend(nghttp2_session*,
                                    const nghttp2_frame* frame,
                                    void* user_data) {
  Session& self = Self(user_data);
  if (frame->hd.type > NGHTTP2_HEADERS) {
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      self.NoteGoAway(frame->goaway);
    } else if (frame->hd.type == NGHTTP2_RST_STREAM) {
      self.guard_.OnReset(frame->hd.stream_id, frame->rst_stream.error_code,
                          self.loop_.now());
    }
    return 0;
  }
  Note::Kind kind;
  if (self.role_ == Role::kClient) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    kind = Note::Kind::kHeadersWritten;
  } else {
    if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) return 0;
    kind = Note::Kind::kEndWritten;
  }
  Stream* stream = self.Find(frame->hd.stream_id);
  if (stream != nullptr) self.notes_.push_back({stream, kind, 0});
  return 0;
}

ssize_t Session::Callbacks::ReadBody(nghttp2_session*, int32_t, uint8_t*,
                                     size_t size, uint32_t* flags,
                                     nghttp2_data_source* source,
                                     void* user_data) {
  auto* stream = static_cast<Stream*>(source->ptr);
  const Stream::Outgoing next = stream->Peek(size);
  if (next.size == 0 && !next.end) return NGHTTP2_ERR_DEFERRED;
  *flags = NGHTTP2_DATA_FLAG_NO_COPY;
  if (next.end) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (next.trailers) *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
  }
  Session& self = Self(user_data);
  self.moved_ns_ = self.loop_.now();
  stream->stuck_since_ns_ = 0;
  return static_cast<ssize_t>(next.size);
}

int Session::Callbacks::SendData(nghttp2_session*, nghttp2_frame*,
                                 const uint8_t* header, size_t size,
                                 nghttp2_data_source* source, void* user_data) {
  Session& self = Self(user_data);
  constexpr size_t kFrameHeader = 9;
  self.out_.Copy(self.loop_.pool(), BlockPool::kMedium, header, kFrameHeader);
  if (size > 0) static_cast<Stream*>(source->ptr)->Take(size, self.out_);
  self.guard_.OnDataSent();
  if (self.out_.size() < kFillAtMost) return 0;
  self.paused_ = true;
  return NGHTTP2_ERR_PAUSE;
}

const nghttp2_session_callbacks* Session::Callbacks::Table() {
  static const nghttp2_session_callbacks* const table = [] {
    nghttp2_session_callbacks* c = nullptr;
    nghttp2_session_callbacks_new(&c);
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback2(c, OnHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, OnFrame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(
        c, OnInvalidFrame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, OnDataChunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, OnStreamClose);
    nghttp2_session_callbacks_set_on_frame_send_callback(c, OnFrameSend);
    nghttp2_session_callbacks_set_send_data_callback(c, SendData);
    return c;
  }();
  return table;
}

}  // namespace bandit::http2
