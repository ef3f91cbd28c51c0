// SPDX-License-Identifier: Apache-2.0
// The session's streams: what their handlers ask for and are told.
#include <utility>

#include "router/http2/session.h"
#include "router/http2/session_callbacks.h"

namespace bandit::http2 {
namespace {

// Requests put into a connection that is still being made, before the peer
// said how many streams it takes.
constexpr uint32_t kAssumedStreams = 100;

}  // namespace

bool Session::HasCapacity() const {
  return !dead_ && !draining_ && stream_count_ < max_streams();
}

uint32_t Session::max_streams() const {
  return settings_received_
             ? nghttp2_session_get_remote_settings(
                   session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
             : kAssumedStreams;
}

void Session::TellNotes() {
  // Handlers may submit frames; they do not note anything.
  for (size_t i = 0; i < notes_.size(); ++i) {
    const Note note = notes_[i];
    switch (note.kind) {
      case Note::Kind::kHeadersWritten:
        note.stream->OnHeadersWritten();
        break;
      case Note::Kind::kEndWritten:
        note.stream->OnEndWritten();
        break;
      case Note::Kind::kClosed:
        TellClosed(note.stream, note.error_code);
        break;
    }
  }
  notes_.clear();
}

void Session::TellClosed(Stream* stream, uint32_t error_code) {
  Unlink(stream);
  stream->OnClosed(error_code);
}

void Session::Link(Stream* stream) {
  stream->previous_ = nullptr;
  stream->next_ = streams_;
  stream->stuck_since_ns_ = 0;
  if (streams_ != nullptr) streams_->previous_ = stream;
  streams_ = stream;
  ++stream_count_;
}

void Session::Unlink(Stream* stream) {
  if (stream->previous_ != nullptr) {
    stream->previous_->next_ = stream->next_;
  } else {
    streams_ = stream->next_;
  }
  if (stream->next_ != nullptr) stream->next_->previous_ = stream->previous_;
  if (--stream_count_ == 0) idle_since_ns_ = loop_.now();
}

Stream* Session::Find(int32_t id) const {
  return static_cast<Stream*>(
      nghttp2_session_get_stream_user_data(session_, id));
}

bool Session::Waits(const Stream& stream) const {
  return role_ == Role::kClient && stream.id_ != 0 &&
         nghttp2_session_find_stream(session_, stream.id_) == nullptr;
}

void Session::Withdraw(Stream& stream, uint32_t error_code) {
  // nghttp2 marks it as cancelled and drops it when its turn comes.
  const int32_t id = std::exchange(stream.id_, 0);
  nghttp2_session_set_stream_user_data(session_, id, nullptr);
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, error_code);
  notes_.push_back({&stream, Note::Kind::kClosed, error_code});
  MarkDirty();
}

int32_t Session::SubmitRequest(absl::Span<const nghttp2_nv> headers, bool end,
                               Stream* stream) {
  if (dead_ || draining_) return NGHTTP2_ERR_START_STREAM_NOT_ALLOWED;
  nghttp2_data_provider body{};
  body.source.ptr = stream;
  body.read_callback = &Callbacks::ReadBody;
  const int32_t id =
      nghttp2_submit_request(session_, nullptr, headers.data(), headers.size(),
                             end ? nullptr : &body, stream);
  if (id < 0) return id;
  stream->id_ = id;
  Link(stream);
  MarkDirty();
  return id;
}

void Session::SubmitResponse(int32_t id, absl::Span<const nghttp2_nv> headers,
                             bool end) {
  nghttp2_data_provider body{};
  body.source.ptr = Find(id);
  body.read_callback = &Callbacks::ReadBody;
  nghttp2_submit_response(session_, id, headers.data(), headers.size(),
                          end ? nullptr : &body);
  MarkDirty();
}

void Session::SubmitInterim(int32_t id, absl::Span<const nghttp2_nv> headers) {
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, id, nullptr,
                         headers.data(), headers.size(), nullptr);
  MarkDirty();
}

void Session::SubmitTrailers(int32_t id, absl::Span<const nghttp2_nv> headers) {
  nghttp2_submit_trailer(session_, id, headers.data(), headers.size());
  MarkDirty();
}

void Session::Resume(int32_t id) {
  nghttp2_session_resume_data(session_, id);
  MarkDirty();
}

void Session::Reset(int32_t id, uint32_t error_code) {
  if (role_ == Role::kClient &&
      nghttp2_session_find_stream(session_, id) == nullptr) {
    for (Stream* s = streams_; s != nullptr; s = s->next_) {
      if (s->id_ == id) return Withdraw(*s, error_code);
    }
    return;
  }
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, error_code);
  MarkDirty();
}

void Session::Consume(int32_t id, size_t size) {
  nghttp2_session_consume_stream(session_, id, size);
  if (nghttp2_session_want_write(session_) != 0) MarkDirty();
}

}  // namespace bandit::http2
