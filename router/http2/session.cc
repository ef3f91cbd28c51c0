// SPDX-License-Identifier: Apache-2.0
// The session's life, and its bytes in and out.
#include "router/http2/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "router/http2/lingering_close.h"
#include "router/http2/opening.h"
#include "router/http2/session_callbacks.h"

namespace bandit::http2 {
namespace {

constexpr int kGather = 64;
// Reads of one wake-up, so that a fast peer does not starve the others.
constexpr int kReadsAtOnce = 4;
// Frames that may wait for a socket that takes no bytes, besides the headers
// and trailers of every stream. nghttp2 itself bounds answers to SETTINGS and
// PING.
constexpr size_t kMostQueued = 10'000;

}  // namespace

Session::Session(Loop& loop, Role role, const SessionOptions& options,
                 Events events)
    : loop_(loop),
      role_(role),
      events_(std::move(events)),
      max_header_list_(options.max_header_list),
      most_queued_(kMostQueued + size_t{2} * options.max_concurrent_streams),
      guard_(role == Role::kServer, loop.now()),
      limits_(options) {
  session_ =
      NewNghttp2(role == Role::kServer, options, Callbacks::Table(), this);
}

Session::~Session() {
  loop_.wheel().Unset(watch_);
  nghttp2_session_del(session_);
}

void Session::Start(std::unique_ptr<Transport> transport) {
  transport_ = std::move(transport);
  // A server's SETTINGS go out with its first write: a client that speaks
  // something else can still be told so in its own language.
  if (role_ == Role::kClient) MarkDirty();
  header_since_ns_ = idle_since_ns_ = read_ns_ = loop_.UpdateTime();
  WatchNext(loop_.now());
  transport_->WaitRead([self = shared_from_this()] { self->OnReadable(); });
}

std::string Session::peer() const {
  if (dead_) return peer_;
  return transport_ == nullptr ? "" : transport_->peer();
}

void Session::Close(const std::string& why, CloseReason reason) {
  if (dead_) return;
  if (IsCut(reason)) peer_ = peer();
  dead_ = true;
  draining_ = true;
  close_why_ = why;
  closed_for_ = reason;
  auto self = shared_from_this();
  loop_.wheel().Unset(watch_);
  // A client may be sending still, and is to hear the last words.
  const bool linger =
      role_ == Role::kServer && spoken_ && reason != CloseReason::kPeer;
  if (linger) {
    CloseLingering(loop_, std::move(transport_));
  } else if (transport_ != nullptr) {
    transport_->Close();
  }
  TellNotes();
  while (streams_ != nullptr) TellClosed(streams_, NGHTTP2_CANCEL);
  out_.Clear();
  if (events_.on_dead) std::exchange(events_.on_dead, nullptr)(*this, why);
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
  constexpr std::array<uint8_t, 8> kPing = {kDrainPing};
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, kPing.data());
  MarkDirty();
}

void Session::MarkDirty() {
  if (dirty_ || dead_) return;
  dirty_ = true;
  loop_.FlushLater(shared_from_this());
}

void Session::OnReadable() {
  // What the peer is owed for what it sent before comes first: if it broke the
  // protocol and now hangs up, the reason would be lost.
  Flush();
  if (dead_) return;
  loop_.UpdateTime();
  for (int i = 0; i < kReadsAtOnce; ++i) {
    if (!ReadOnce()) break;
  }
  if (dead_) return;
  NoteHeaders();
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
      Close(result.error ? result.error.message() : "closed by the peer",
            CloseReason::kPeer);
      return false;
    case Transport::Result::State::kDone:
      break;
  }
  const bool alive = Receive(data, result.size);
  loop_.DoneReading(result.size);
  return alive && result.size == room;
}

bool Session::Receive(const uint8_t* data, size_t size) {
  read_ns_ = loop_.now();
  ping_ns_ = 0;
  while (size > 0) {
    const size_t part = guard_.Scan(data, size, read_ns_, [this](int32_t id) {
      return nghttp2_session_find_stream(session_, id) != nullptr;
    });
    const ssize_t used = nghttp2_session_mem_recv(session_, data, part);
    if (dead_) return false;
    if (used < 0) {
      GiveUp(static_cast<int>(used), data, part);
      return false;
    }
    if (const auto& violation = guard_.violation(); violation.has_value()) {
      Terminate(
          violation->error_code, std::string(violation->what),
          violation->flood ? CloseReason::kFlood : CloseReason::kProtocolError);
      return false;
    }
    data += part;
    size -= part;
  }
  if (waiting_write_ &&
      nghttp2_session_get_outbound_queue_size(session_) > most_queued_) {
    Close("the peer makes answers necessary and takes none",
          CloseReason::kFlood);
  }
  return !dead_;
}

void Session::GiveUp(int error, const uint8_t* data, size_t size) {
  switch (error) {
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC: {
      const Opening opening =
          ReadOpening({reinterpret_cast<const char*>(data), size});
      if (!spoken_ && !opening.answer.empty()) {
        out_.Copy(loop_.pool(), BlockPool::kMedium, opening.answer);
        WriteOut();
        Close(std::string(opening.what), CloseReason::kNotHttp2);
      } else {
        Terminate(NGHTTP2_PROTOCOL_ERROR, std::string(opening.what),
                  CloseReason::kNotHttp2);
      }
      return;
    }
    case NGHTTP2_ERR_FLOODED:
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS:
      Terminate(NGHTTP2_ENHANCE_YOUR_CALM, nghttp2_strerror(error),
                CloseReason::kFlood);
      return;
    default:
      Terminate(NGHTTP2_PROTOCOL_ERROR, nghttp2_strerror(error),
                CloseReason::kProtocolError);
  }
}

void Session::Terminate(uint32_t error_code, const std::string& why,
                        CloseReason reason) {
  nghttp2_session_terminate_session(session_, error_code);
  if (!waiting_write_ && Fill()) WriteOut();
  Close(why, reason);
}

void Session::Flush() {
  // It may have been flushed since the loop was asked to.
  if (!std::exchange(dirty_, false)) return;
  if (dead_ || transport_ == nullptr || waiting_write_) return;
  do {
    if (!Fill()) {
      Close("the peer broke the HTTP/2 protocol", CloseReason::kProtocolError);
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
      Close(result.error.message(), CloseReason::kPeer);
      return false;
    }
    if (result.state == Transport::Result::State::kWouldBlock) {
      waiting_write_ = true;
      write_blocked_ns_ = loop_.now();
      transport_->WaitWrite([self = shared_from_this()] {
        self->waiting_write_ = false;
        self->MarkDirty();
      });
      return true;
    }
    out_.Drop(result.size);
    spoken_ = true;
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
  Close(terminated_.empty() ? "finished" : terminated_, closed_for_);
}

// nghttp2 ends a connection by itself when the peer breaks the rules; what it
// tells the peer is all that is known of the reason.
void Session::NoteGoAway(const nghttp2_goaway& goaway) {
  guard_.OnGoAway();
  if (goaway.error_code == NGHTTP2_NO_ERROR) return;
  // nghttp2 calls a flood of resets an internal error.
  const bool flood = goaway.error_code == NGHTTP2_ENHANCE_YOUR_CALM ||
                     goaway.error_code == NGHTTP2_INTERNAL_ERROR;
  closed_for_ = flood ? CloseReason::kFlood : CloseReason::kProtocolError;
  terminated_ = fmt::format(
      "the peer broke HTTP/2: {}{}{}",
      nghttp2_http2_strerror(goaway.error_code),
      goaway.opaque_data_len == 0 ? "" : ": ",
      std::string_view(reinterpret_cast<const char*>(goaway.opaque_data),
                       goaway.opaque_data_len));
}

}  // namespace bandit::http2
