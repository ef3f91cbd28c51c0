// SPDX-License-Identifier: Apache-2.0
// Judges the frames that a peer sends, by their headers, before nghttp2 reads
// them.
//
// nghttp2 passes over what it has no use for and tells nobody: frames on
// closed streams, priorities, unknown types, windows that open. Two things must
// be known of them. Some end the connection by the protocol's rules; and a peer
// that sends them without end keeps the router busy for nothing (the floods of
// CVE-2019-9511 to 9518, and CVE-2025-8671, where a client makes the server
// reset its streams).
//
// A peer has an account of work that it may cause for nothing. Frames that
// carry something fill it, in either direction; so does time; the others draw
// on it. No client in its senses comes near its end.
#ifndef BANDIT_ROUTER_HTTP2_FRAME_GUARD_H_
#define BANDIT_ROUTER_HTTP2_FRAME_GUARD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"

namespace bandit::http2 {

// Thread-safety: none.
// Determinism: bytes, however cut, answers of `open` and times.
// Cost: O(frames), a lookup for a frame of a stream that is not the newest.
class FrameGuard {
 public:
  struct Violation {
    uint32_t error_code;  // Of the GOAWAY.
    std::string_view what;
    bool flood;
  };
  // Whether a stream is open, as of all bytes that Scan let pass before.
  using IsOpen = absl::FunctionRef<bool(int32_t id)>;

  // `server`: the peer is a client, whose preface comes first and whose streams
  // are judged, too.
  FrameGuard(bool server, int64_t now_ns);

  // How many of the bytes may be read now. If fewer than all: they are to be
  // read, then Scan is to be called with the rest, or there is a violation().
  size_t Scan(const uint8_t* data, size_t size, int64_t now_ns, IsOpen open);

  const std::optional<Violation>& violation() const { return violation_; }

  // The peer began a header section and has not ended it.
  bool in_header_section() const {
    return section_open_ || (section_frame_ && skip_ > 0);
  }
  // Header sections begun so far.
  uint32_t sections() const { return sections_; }

  // A frame of DATA was sent to the peer.
  void OnDataSent() { Earn(); }
  // A stream was reset by this side, with `error_code`: what the peer had on
  // its way there is no offence.
  void OnReset(int32_t id, uint32_t error_code, int64_t now_ns);
  // GOAWAY was said: streams that the peer opens are passed over.
  void OnGoAway() { forgiven_ = INT32_MAX; }

 private:
  struct Frame {
    uint32_t length;
    uint8_t type;
    uint8_t flags;
    int32_t stream;
  };
  // Streams that the peer passed over: idle for ever.
  struct Gap {
    int32_t first = 0;
    int32_t last = -1;
  };
  enum class Verdict { kPass, kReadFirst, kViolation };

  // What was let pass of the bytes at hand but may not have been read yet.
  struct Batch {
    bool empty;  // Nothing: `open` knows all.
    int32_t opened = 0;
    bool reset = false;
  };

  static Frame Parse(const uint8_t* head);
  Verdict Judge(const Frame& frame, Batch& batch, int64_t now_ns, IsOpen open);
  Verdict JudgeHeaders(const Frame& frame, Batch& batch, IsOpen open);
  Verdict JudgePriority(const Frame& frame);
  // A frame of a stream that the peer opened before.
  Verdict JudgeStream(const Frame& frame, const Batch& batch, IsOpen open);
  Verdict Fail(uint32_t error_code, std::string_view what, bool flood = false);
  bool WasReset(int32_t id) const;
  bool WasSkipped(int32_t id) const;
  void Earn();
  Verdict Spend(int64_t cost, int64_t now_ns);

  bool server_;
  // Bytes of the preface or of a payload that are still to pass.
  uint64_t skip_;
  std::array<uint8_t, 13> head_{};  // Of a PRIORITY the payload, too.
  size_t have_ = 0;
  bool section_frame_ = false;  // The frame is HEADERS or CONTINUATION,
  bool section_open_ = false;   // and another must follow.
  uint32_t sections_ = 0;

  int32_t last_stream_ = 0;  // The newest that the client opened.
  // Streams that this side reset most recently; those up to forgiven_ are not
  // judged, for they may have been reset before.
  std::array<int32_t, 64> resets_{};
  size_t next_reset_ = 0;
  int32_t forgiven_ = 0;
  std::array<Gap, 4> gaps_{};
  size_t next_gap_ = 0;

  int64_t account_;
  int64_t filled_ns_;  // When time last filled it.
  std::optional<Violation> violation_;
};

}  // namespace bandit::http2

#endif  // BANDIT_ROUTER_HTTP2_FRAME_GUARD_H_
