// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/proxy/http2_connection.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace bandit::bench {
namespace {

// Wide enough that flow control never waits for the benchmark's own ends.
constexpr int32_t kStreamWindow = 16 << 20;
constexpr int32_t kConnectionWindow = 1 << 30;
constexpr uint32_t kMaxStreams = 100'000;
// One write takes about this much.
constexpr size_t kBatch = 256 << 10;

std::string_view View(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace

Http2Connection::Http2Connection(asio::ip::tcp::socket socket, Side side)
    : socket_(std::move(socket)), executor_(socket_.get_executor()) {
  asio::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);

  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_begin_headers_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
        static_cast<Http2Connection*>(self)->OnStreamBegin(frame->hd.stream_id);
        return 0;
      });
  nghttp2_session_callbacks_set_on_header_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame,
                    const uint8_t* name, size_t name_size, const uint8_t* value,
                    size_t value_size, uint8_t, void* self) {
        static_cast<Http2Connection*>(self)->OnHeader(frame->hd.stream_id,
                                                      View(name, name_size),
                                                      View(value, value_size));
        return 0;
      });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      callbacks, [](nghttp2_session*, uint8_t, int32_t stream, const uint8_t*,
                    size_t size, void* self) {
        static_cast<Http2Connection*>(self)->OnData(stream, size);
        return 0;
      });
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
        const bool message =
            frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
        if (message && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
          static_cast<Http2Connection*>(self)->OnMessageEnd(
              frame->hd.stream_id);
        }
        return 0;
      });
  nghttp2_session_callbacks_set_on_stream_close_callback(
      callbacks,
      [](nghttp2_session*, int32_t stream, uint32_t error_code, void* self) {
        static_cast<Http2Connection*>(self)->OnStreamClose(stream, error_code);
        return 0;
      });
  const int made = side == Side::kClient
                       ? nghttp2_session_client_new(&session_, callbacks, this)
                       : nghttp2_session_server_new(&session_, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  if (made != 0) std::abort();
}

Http2Connection::~Http2Connection() { nghttp2_session_del(session_); }

void Http2Connection::Start() {
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kMaxStreams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings,
                          std::size(settings));
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                        kConnectionWindow);
  Flush();
  Read();
}

void Http2Connection::Read() {
  socket_.async_read_some(
      asio::buffer(in_),
      [self = shared_from_this()](asio::error_code error, size_t bytes) {
        if (error || self->ended_) {
          self->Close();
        } else {
          self->Received(bytes);
        }
      });
}

void Http2Connection::Received(size_t bytes) {
  const ssize_t taken = nghttp2_session_mem_recv(session_, in_.data(), bytes);
  if (taken != static_cast<ssize_t>(bytes)) {
    std::fprintf(stderr, "http2: %s\n",
                 nghttp2_strerror(static_cast<int>(taken)));
    Close();
    return;
  }
  Flush();
  if (!ended_) Read();
}

bool Http2Connection::Gather() {
  out_.clear();
  out_sent_ = 0;
  while (out_.size() < kBatch) {
    const uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size < 0) return false;
    if (size == 0) break;
    out_.insert(out_.end(), data, data + size);
  }
  return true;
}

void Http2Connection::Flush() {
  while (!ended_ && !waiting_to_write_) {
    if (out_sent_ == out_.size()) {
      if (!Gather()) return Close();
      if (out_.empty()) break;
    }
    asio::error_code error;
    out_sent_ += socket_.write_some(
        asio::buffer(out_.data() + out_sent_, out_.size() - out_sent_), error);
    if (error == asio::error::would_block) return WaitWritable();
    if (error) return Close();
  }
  if (!ended_ && nghttp2_session_want_read(session_) == 0 &&
      nghttp2_session_want_write(session_) == 0) {
    Close();
  }
}

void Http2Connection::WaitWritable() {
  waiting_to_write_ = true;
  socket_.async_wait(asio::ip::tcp::socket::wait_write,
                     [self = shared_from_this()](asio::error_code error) {
                       self->waiting_to_write_ = false;
                       if (error) return self->Close();
                       self->Flush();
                     });
}

void Http2Connection::Close() {
  if (ended_) return;
  ended_ = true;
  asio::error_code ignored;
  socket_.close(ignored);
  OnEnd();
}

}  // namespace bandit::bench
