// SPDX-License-Identifier: Apache-2.0
#include "router/http2/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace bandit::http2 {
namespace {

// How much is prepared for one write; more waits in nghttp2 and the bodies.
constexpr size_t kFillAtMost = size_t{256} * 1024;
constexpr int kGather = 64;
// Reads of one wake-up, so that a fast peer does not starve the others.
constexpr int kReadsAtOnce = 4;
// nghttp2 counts a field as its octets and 32 (RFC 9113, section 10.5.1).
constexpr uint32_t kFieldOverhead = 32;
// Requests put into a connection that is still being made, before the peer
// said how many streams it takes.
constexpr uint32_t kAssumedStreams = 100;
// Streams that a client may cancel before its connection is cut (the remedy to
// CVE-2023-44487). nghttp2's own 33 a second cuts off a client that hedges.
constexpr uint64_t kResetBurst = 10'000;
constexpr uint64_t kResetsPerSecond = 1'000;

Session* Self(void* user_data) { return static_cast<Session*>(user_data); }

}  // namespace

// nghttp2's callbacks, with access to the session's state.
struct Session::Callbacks {
  static int OnBeginHeaders(nghttp2_session* ng, const nghttp2_frame* frame,
                            void* user_data) {
    Session& self = *Self(user_data);
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
      self.Link(stream);
    } else {
      stream = self.Find(id);
    }
    if (stream != nullptr) self.header_target_ = stream->OnHeadersBegin();
    return 0;
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame*,
                      nghttp2_rcbuf* name, nghttp2_rcbuf* value, uint8_t flags,
                      void* user_data) {
    Session& self = *Self(user_data);
    self.header_list_ += static_cast<uint32_t>(
        nghttp2_rcbuf_get_buf(name).len + nghttp2_rcbuf_get_buf(value).len +
        kFieldOverhead);
    if (self.header_list_ > self.max_header_list_) return 0;
    if (self.header_target_ != nullptr) {
      self.header_target_->Add(name, value, flags);
    }
    return 0;
  }

  static int OnFrame(nghttp2_session* ng, const nghttp2_frame* frame,
                     void* user_data) {
    Session& self = *Self(user_data);
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
        self.draining_ = true;
        for (Stream* s = self.streams_; s != nullptr; s = s->next_) {
          if (self.Waits(*s)) self.Withdraw(*s, NGHTTP2_REFUSED_STREAM);
        }
        break;
      case NGHTTP2_PING:
        // The answer to the ping that went with the shutdown notice: what the
        // client had under way when it read the notice has arrived.
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) && self.drain_announced_) {
          self.drain_announced_ = false;
          nghttp2_submit_goaway(ng, NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(ng),
                                NGHTTP2_NO_ERROR, nullptr, 0);
          self.draining_ = true;
          self.MarkDirty();
        }
        break;
      default:
        break;
    }
    return 0;
  }

  static int OnDataChunk(nghttp2_session* ng, uint8_t, int32_t id,
                         const uint8_t* data, size_t size, void* user_data) {
    Session& self = *Self(user_data);
    // The connection's window is opened at once, so that a slow stream does
    // not hold up the others; its own stays closed until it is consumed.
    nghttp2_session_consume_connection(ng, size);
    Stream* stream = self.Find(id);
    if (stream != nullptr) {
      stream->OnData(self.loop_.read_block(), data, size);
    }
    return 0;
  }

  static int OnStreamClose(nghttp2_session*, int32_t id, uint32_t error_code,
                           void* user_data) {
    Session& self = *Self(user_data);
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

  static int OnFrameSend(nghttp2_session*, const nghttp2_frame* frame,
                         void* user_data) {
    Session& self = *Self(user_data);
    if (frame->hd.type > NGHTTP2_HEADERS) {
      if (frame->hd.type == NGHTTP2_GOAWAY) self.NoteGoAway(frame->goaway);
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

  static ssize_t ReadBody(nghttp2_session*, int32_t, uint8_t*, size_t size,
                          uint32_t* flags, nghttp2_data_source* source, void*) {
    auto* stream = static_cast<Stream*>(source->ptr);
    const Stream::Outgoing next = stream->Peek(size);
    if (next.size == 0 && !next.end) return NGHTTP2_ERR_DEFERRED;
    *flags = NGHTTP2_DATA_FLAG_NO_COPY;
    if (next.end) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (next.trailers) *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    }
    return static_cast<ssize_t>(next.size);
  }

  static int SendData(nghttp2_session*, nghttp2_frame*, const uint8_t* header,
                      size_t size, nghttp2_data_source* source,
                      void* user_data) {
    Session& self = *Self(user_data);
    constexpr size_t kFrameHeader = 9;
    self.out_.Copy(self.loop_.pool(), BlockPool::kMedium, header, kFrameHeader);
    if (size > 0) static_cast<Stream*>(source->ptr)->Take(size, self.out_);
    if (self.out_.size() < kFillAtMost) return 0;
    self.paused_ = true;
    return NGHTTP2_ERR_PAUSE;
  }

  static const nghttp2_session_callbacks* Table() {
    static const nghttp2_session_callbacks* const table = [] {
      nghttp2_session_callbacks* c = nullptr;
      nghttp2_session_callbacks_new(&c);
      nghttp2_session_callbacks_set_on_begin_headers_callback(c,
                                                              OnBeginHeaders);
      nghttp2_session_callbacks_set_on_header_callback2(c, OnHeader);
      nghttp2_session_callbacks_set_on_frame_recv_callback(c, OnFrame);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, OnDataChunk);
      nghttp2_session_callbacks_set_on_stream_close_callback(c, OnStreamClose);
      nghttp2_session_callbacks_set_on_frame_send_callback(c, OnFrameSend);
      nghttp2_session_callbacks_set_send_data_callback(c, SendData);
      return c;
    }();
    return table;
  }
};

Session::Session(Loop& loop, Role role, const SessionOptions& options,
                 Events events)
    : loop_(loop),
      role_(role),
      events_(std::move(events)),
      max_header_list_(options.max_header_list) {
  Configure(options);
}

Session::~Session() { nghttp2_session_del(session_); }

void Session::Configure(const SessionOptions& options) {
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
  if (role_ == Role::kServer) {
    nghttp2_session_server_new2(&session_, Callbacks::Table(), this, option);
  } else {
    nghttp2_session_client_new2(&session_, Callbacks::Table(), this, option);
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
  const size_t count = role_ == Role::kServer ? 4 : 5;
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), count);
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                        options.connection_window);
}

void Session::Start(std::unique_ptr<Transport> transport) {
  transport_ = std::move(transport);
  MarkDirty();
  transport_->WaitRead([self = shared_from_this()] { self->OnReadable(); });
}

std::string Session::peer() const {
  return transport_ == nullptr ? "" : transport_->peer();
}

void Session::Close(const std::string& reason) {
  if (dead_) return;
  dead_ = true;
  draining_ = true;
  close_reason_ = reason;
  auto self = shared_from_this();
  if (transport_ != nullptr) transport_->Close();
  TellNotes();
  while (streams_ != nullptr) TellClosed(streams_, NGHTTP2_CANCEL);
  out_.Clear();
  if (events_.on_dead) std::exchange(events_.on_dead, nullptr)(*this, reason);
}

void Session::Drain() {
  if (dead_ || draining_ || drain_announced_) return;
  if (role_ == Role::kClient) {
    draining_ = true;
    if (stream_count_ == 0) Close("drained");
    return;
  }
  if (stream_count_ == 0) {
    // Nobody waits: the final word can be said at once. A request that
    // crosses it on the way was not processed, and its client is told so.
    draining_ = true;
    nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session_),
                          NGHTTP2_NO_ERROR, nullptr, 0);
    MarkDirty();
    return;
  }
  drain_announced_ = true;
  nghttp2_submit_shutdown_notice(session_);
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
  MarkDirty();
}

bool Session::HasCapacity() const {
  return !dead_ && !draining_ && stream_count_ < max_streams();
}

uint32_t Session::max_streams() const {
  return settings_received_
             ? nghttp2_session_get_remote_settings(
                   session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
             : kAssumedStreams;
}

void Session::MarkDirty() {
  if (dirty_ || dead_) return;
  dirty_ = true;
  loop_.FlushLater(shared_from_this());
}

void Session::OnReadable() {
  if (dead_) return;
  loop_.UpdateTime();
  for (int i = 0; i < kReadsAtOnce; ++i) {
    if (!ReadOnce()) break;
  }
  if (dead_) return;
  if (nghttp2_session_want_write(session_) != 0 ||
      nghttp2_session_want_read(session_) == 0 ||
      (draining_ && stream_count_ == 0)) {
    MarkDirty();
  }
  transport_->WaitRead([self = shared_from_this()] { self->OnReadable(); });
}

// Whether there may be more to read at once.
bool Session::ReadOnce() {
  BlockRef& block = loop_.BeginReading();
  uint8_t* const data = block->data() + block->used;
  const size_t room = block->capacity - block->used;
  const Transport::Result result = transport_->Read(data, room);
  switch (result.state) {
    case Transport::Result::State::kWouldBlock:
      return false;
    case Transport::Result::State::kClosed:
      Close(result.error ? result.error.message() : "closed by the peer");
      return false;
    case Transport::Result::State::kDone:
      break;
  }
  const bool alive = Receive(data, result.size);
  loop_.DoneReading(result.size);
  return alive && result.size == room;
}

bool Session::Receive(const uint8_t* data, size_t size) {
  const ssize_t used = nghttp2_session_mem_recv(session_, data, size);
  if (used >= 0) return !dead_;
  // Not HTTP/2, or a flood. What can be said is said, then the line is cut.
  nghttp2_session_terminate_session(session_, NGHTTP2_PROTOCOL_ERROR);
  if (Fill()) WriteOut();
  Close(nghttp2_strerror(static_cast<int>(used)));
  return false;
}

void Session::Flush() {
  dirty_ = false;
  if (dead_ || transport_ == nullptr || waiting_write_) return;
  do {
    if (!Fill()) {
      Close("the peer broke the HTTP/2 protocol");
      return;
    }
    if (!WriteOut()) return;
  } while (paused_ && !waiting_write_);
  loop_.UpdateTime();
  TellNotes();
  CloseIfDone();
}

bool Session::Fill() {
  filling_ = true;
  paused_ = false;
  ssize_t size = 0;
  while (out_.size() < kFillAtMost) {
    const uint8_t* data = nullptr;
    size = nghttp2_session_mem_send(session_, &data);
    if (size <= 0) break;
    out_.Copy(loop_.pool(), BlockPool::kMedium, data,
              static_cast<size_t>(size));
  }
  if (out_.size() >= kFillAtMost) paused_ = true;
  filling_ = false;
  return size >= 0;
}

bool Session::WriteOut() {
  std::array<iovec, kGather> vectors;
  while (!out_.empty()) {
    const int count = out_.Gather(vectors.data(), kGather);
    const Transport::Result result = transport_->Write(vectors.data(), count);
    if (result.state == Transport::Result::State::kClosed) {
      Close(result.error.message());
      return false;
    }
    if (result.state == Transport::Result::State::kWouldBlock) {
      waiting_write_ = true;
      transport_->WaitWrite([self = shared_from_this()] {
        self->waiting_write_ = false;
        self->MarkDirty();
      });
      return true;
    }
    out_.Drop(result.size);
  }
  return true;
}

void Session::CloseIfDone() {
  if (dead_ || !out_.empty()) return;
  const bool finished = nghttp2_session_want_read(session_) == 0 &&
                        nghttp2_session_want_write(session_) == 0;
  const bool drained = draining_ && stream_count_ == 0 &&
                       nghttp2_session_want_write(session_) == 0 &&
                       !drain_announced_;
  if (!finished && !drained) return;
  Close(terminated_.empty() ? "finished" : terminated_);
}

// nghttp2 ends a connection by itself when the peer breaks the rules; what it
// tells the peer is all that is known of the reason.
void Session::NoteGoAway(const nghttp2_goaway& goaway) {
  if (goaway.error_code == NGHTTP2_NO_ERROR) return;
  terminated_ = fmt::format(
      "the peer broke HTTP/2: {}{}{}",
      nghttp2_http2_strerror(goaway.error_code),
      goaway.opaque_data_len == 0 ? "" : ": ",
      std::string_view(reinterpret_cast<const char*>(goaway.opaque_data),
                       goaway.opaque_data_len));
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
  --stream_count_;
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
