// SPDX-License-Identifier: Apache-2.0
// One HTTP/2 connection, as server or client: nghttp2 over a transport.
//
// The session moves frames; what a stream means is its handler's affair.
// Bytes received are offered as slices of the read block, bytes to send are
// pulled when the peer's windows and the socket have room, so back-pressure
// needs no buffer of its own: a window opens only when the handler consumed.
#ifndef BANDIT_ROUTER_HTTP2_SESSION_H_
#define BANDIT_ROUTER_HTTP2_SESSION_H_

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "router/http2/block.h"
#include "router/http2/close_reason.h"
#include "router/http2/frame_guard.h"
#include "router/http2/header_block.h"
#include "router/http2/loop.h"
#include "router/http2/session_options.h"
#include "router/http2/slice_queue.h"
#include "router/http2/timer_wheel.h"
#include "router/http2/transport.h"

namespace bandit::http2 {

class Session;

// The handler of one stream.
// Ownership: alive from the moment the session knows it until OnClosed.
class Stream {
 public:
  virtual ~Stream() = default;

  // A header section begins: where its fields go. nullptr drops them.
  virtual HeaderBlock* OnHeadersBegin() = 0;
  // The section is over. `complete` false: it was larger than allowed and its
  // tail was dropped. `end`: OnEnd follows at once.
  virtual void OnHeaders(bool complete, bool end) = 0;
  // Payload; `data` lies in `block`. Its window stays closed until
  // Session::Consume.
  virtual void OnData(const BlockRef& block, const uint8_t* data,
                      size_t size) = 0;
  // The peer will send no more.
  virtual void OnEnd() = 0;
  // The stream is gone; the last call. `error_code` NO_ERROR: both sides had
  // ended.
  virtual void OnClosed(uint32_t error_code) = 0;

  // What the stream has to send now, up to `max` bytes.
  struct Outgoing {
    size_t size = 0;
    bool end = false;       // Nothing follows these bytes,
    bool trailers = false;  // but the trailers, submitted by then.
  };
  virtual Outgoing Peek(size_t max) = 0;
  // Moves the `size` bytes that Peek offered to `out`.
  virtual void Take(size_t size, SliceQueue& out) = 0;
  // Whether bytes wait for Take. Asked now and then, to find peers that have
  // stalled; false: the stream is never taken for one.
  virtual bool HasOutput() const { return false; }

  // Client: the request's headers / server: the last frame of the response has
  // been given to the socket; loop.now() is the time after that.
  virtual void OnHeadersWritten() {}
  virtual void OnEndWritten() {}

 private:
  friend class Session;
  int32_t id_ = 0;  // While nghttp2 knows it.
  // Since when its output has been seen to wait for a closed window; 0: it does
  // not.
  int64_t stuck_since_ns_ = 0;
  Stream* previous_ = nullptr;
  Stream* next_ = nullptr;
};

// Thread-safety: none, lives on its loop.
// Ownership: shared by whoever opened it and by its pending waits.
class Session : public Flushable, public std::enable_shared_from_this<Session> {
 public:
  // What the owner is told; each may be empty. None is called after OnDead.
  struct Events {
    // A client opened a stream (server only); nullptr refuses it.
    std::function<Stream*(Session&, int32_t id)> on_stream;
    // The connection is gone. Its streams have been told before.
    std::function<void(Session&, const std::string& reason)> on_dead;
    // The peer's first SETTINGS have come: it is there and speaks HTTP/2.
    // The session must not be closed from within.
    std::function<void(Session&)> on_settings;
  };

  enum class Role { kServer, kClient };

  Session(Loop& loop, Role role, const SessionOptions& options, Events events);
  ~Session() override;

  // Begins to speak; a server once its client has. Requests may be submitted
  // before: they wait.
  void Start(std::unique_ptr<Transport> transport);
  // Ends the connection at once: streams get OnClosed, then on_dead.
  void Close(const std::string& why,
             CloseReason reason = CloseReason::kOrderly);
  // Announces that no new streams are taken (GOAWAY), lets those open finish,
  // then closes.
  void Drain();

  bool dead() const { return dead_; }
  // Why it is dead.
  const std::string& close_reason() const { return close_why_; }
  CloseReason closed_for() const { return closed_for_; }
  bool started() const { return transport_ != nullptr; }
  // Streams that are open or waiting to be.
  size_t stream_count() const { return stream_count_; }
  // Whether a further request can go out at once: the peer did not say GOAWAY
  // and its MAX_CONCURRENT_STREAMS leaves room.
  bool HasCapacity() const;
  // The peer's first SETTINGS have come.
  bool settled() const { return settings_received_; }
  // Streams that the peer takes at a time, as far as it is known.
  uint32_t max_streams() const;
  // The peer said GOAWAY, or we did.
  bool draining() const { return draining_; }
  Loop& loop() { return loop_; }
  // The other side's address, also after the end.
  std::string peer() const;

  // Client: opens a stream whose body is pulled from `stream`, unless `end`.
  // It waits while the peer's settings are not known or leave no room; if the
  // peer says GOAWAY meanwhile, OnClosed has REFUSED_STREAM and
  // OnHeadersWritten was never called: it may be sent elsewhere. Fails
  // (negative) if the session takes no more requests; `stream` is not told.
  int32_t SubmitRequest(absl::Span<const nghttp2_nv> headers, bool end,
                        Stream* stream);
  // Server: the final response; a body is pulled from the stream unless `end`.
  void SubmitResponse(int32_t id, absl::Span<const nghttp2_nv> headers,
                      bool end);
  // Server: an interim (1xx) response.
  void SubmitInterim(int32_t id, absl::Span<const nghttp2_nv> headers);
  // To be called from Peek, or before it says `trailers`.
  void SubmitTrailers(int32_t id, absl::Span<const nghttp2_nv> headers);
  // The stream has something to send again.
  void Resume(int32_t id);
  void Reset(int32_t id, uint32_t error_code);
  // `size` payload bytes of the stream were passed on.
  void Consume(int32_t id, size_t size);

  void Flush() override;

 private:
  struct Callbacks;
  friend struct Callbacks;

  class Watch : public TimerWheel::Timer {
   public:
    explicit Watch(Session& session) : session_(session) {}
    void OnExpired() override { session_.OnTime(); }

   private:
    Session& session_;
  };

  // SessionOptions, in nanoseconds; 0: none.
  struct Limits {
    explicit Limits(const SessionOptions& options);
    int64_t header;
    int64_t idle;
    int64_t stall;
    int64_t keepalive;
    int64_t keepalive_timeout;
  };

  // How much is prepared for one write; more waits in nghttp2 and the bodies.
  static constexpr size_t kFillAtMost = size_t{256} * 1024;
  // The first byte of the PING that goes with the notice of a shutdown.
  static constexpr uint8_t kDrainPing = 'd';

  // --- bytes (session.cc)
  void MarkDirty();
  void OnReadable();
  bool ReadOnce();
  bool Receive(const uint8_t* data, size_t size);
  // Moves what nghttp2 has to send to out_, up to a bound.
  bool Fill();
  // Writes out_; false if the socket is gone.
  bool WriteOut();
  void CloseIfDone();
  // Says GOAWAY if the socket takes it, then closes.
  void Terminate(uint32_t error_code, const std::string& why,
                 CloseReason reason);
  // nghttp2 gave up on what the peer sent.
  void GiveUp(int error, const uint8_t* data, size_t size);
  void NoteGoAway(const nghttp2_goaway& goaway);

  // --- time (session_time.cc)
  // Holds the limits against the time, and says when next to do so. Limits of
  // headers, idleness and PINGs are exact; a stall or silence may last half as
  // long again.
  void OnTime();
  void WatchUntil(int64_t at_ns);
  void WatchNext(int64_t now);
  // What was read began or ended a header section.
  void NoteHeaders();
  // True: the connection has ended.
  bool CutIfStalled(int64_t now);
  bool CutIfSilent(int64_t now);
  void DrainIfIdle(int64_t now);
  bool Stuck(const Stream& stream, bool window_closed) const;

  // --- streams (session_streams.cc)
  void Link(Stream* stream);
  void Unlink(Stream* stream);
  Stream* Find(int32_t id) const;
  // Whether the stream's request was not sent yet.
  bool Waits(const Stream& stream) const;
  // Takes back a request that waits; its OnClosed comes with the next flush.
  void Withdraw(Stream& stream, uint32_t error_code);
  // Tells streams what Fill noted, after the write.
  void TellNotes();
  void TellClosed(Stream* stream, uint32_t error_code);

  Loop& loop_;
  const Role role_;
  Events events_;
  nghttp2_session* session_ = nullptr;
  std::unique_ptr<Transport> transport_;
  SliceQueue out_;
  // The section being received.
  HeaderBlock* header_target_ = nullptr;
  Stream* streams_ = nullptr;
  size_t stream_count_ = 0;
  // What streams are to be told once the frames are written. Noted rather than
  // told at once, so that the router's own time includes the write.
  struct Note {
    enum class Kind { kHeadersWritten, kEndWritten, kClosed };
    Stream* stream;
    Kind kind;
    uint32_t error_code;
  };
  std::vector<Note> notes_;
  std::string close_why_;
  std::string terminated_;  // Why nghttp2 ended the connection, if it did.
  std::string peer_;        // Noted at the end.
  CloseReason closed_for_ = CloseReason::kOrderly;
  uint32_t max_header_list_ = 0;
  uint32_t header_list_ = 0;  // Size of the section being received.
  // Frames that may wait while the socket takes no bytes.
  const size_t most_queued_;

  FrameGuard guard_;
  const Limits limits_;
  Watch watch_{*this};
  int64_t watch_at_ns_ = 0;
  // Of the section that the peer has begun, or the connection; 0: none.
  int64_t header_since_ns_ = 0;
  uint32_t header_section_ = 0;  // Its number.
  int64_t idle_since_ns_ = 0;
  int64_t read_ns_ = 0;           // The last bytes came.
  int64_t ping_ns_ = 0;           // A PING was sent, and nothing came since.
  int64_t moved_ns_ = 0;          // The last DATA went out.
  int64_t write_blocked_ns_ = 0;  // While waiting_write_.
  bool filling_ = false;
  bool paused_ = false;  // Fill stopped because out_ is full enough.
  bool dirty_ = false;
  bool waiting_write_ = false;
  bool dead_ = false;
  bool draining_ = false;
  bool drain_announced_ = false;
  bool settings_received_ = false;  // The peer's first.
  bool spoken_ = false;             // Something was given to the socket.
};

}  // namespace bandit::http2

#endif  // BANDIT_ROUTER_HTTP2_SESSION_H_
