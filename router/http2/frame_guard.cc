// SPDX-License-Identifier: Apache-2.0
#include "router/http2/frame_guard.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>

namespace bandit::http2 {
namespace {

constexpr size_t kFrameHeader = 9;
constexpr size_t kPriorityPayload = 5;

// The account. A gRPC client sends a PING a round trip at most, to estimate the
// bandwidth, and up to eight WINDOW_UPDATEs for a frame of DATA.
constexpr int64_t kMost = 10'000;
constexpr int64_t kPerSecond = 1'000;
constexpr int64_t kPerUsefulFrame = 16;
// Filling it by more than this is of no use.
constexpr int64_t kLongestNs = 1'000'000'000 * (kMost / kPerSecond);
// SETTINGS are answered, and may touch every stream.
constexpr int64_t kSettingsCost = 100;
// A stream that had to be reset may have cost a backend's work.
constexpr int64_t kBrokenStreamCost = 64;
// Of padding and what little may be in it; padding is for those who hide
// lengths.
constexpr uint32_t kPaddedAtLeast = 256;

// Resets that the peer provoked by breaking the rules.
bool IsProvoked(uint32_t error_code) {
  return error_code == NGHTTP2_PROTOCOL_ERROR ||
         error_code == NGHTTP2_FLOW_CONTROL_ERROR ||
         error_code == NGHTTP2_STREAM_CLOSED ||
         error_code == NGHTTP2_FRAME_SIZE_ERROR;
}

int32_t ReadStream(const uint8_t* bytes) {
  return static_cast<int32_t>((bytes[0] & 0x7fu) << 24 | bytes[1] << 16 |
                              bytes[2] << 8 | bytes[3]);
}

}  // namespace

FrameGuard::FrameGuard(bool server, int64_t now_ns)
    : server_(server),
      skip_(server ? NGHTTP2_CLIENT_MAGIC_LEN : 0),
      account_(kMost),
      filled_ns_(now_ns) {}

FrameGuard::Frame FrameGuard::Parse(const uint8_t* head) {
  return {
      .length = static_cast<uint32_t>(head[0] << 16 | head[1] << 8 | head[2]),
      .type = head[3],
      .flags = head[4],
      .stream = ReadStream(head + 5)};
}

size_t FrameGuard::Scan(const uint8_t* data, size_t size, int64_t now_ns,
                        IsOpen open) {
  if (violation_.has_value()) return 0;
  Batch batch{.empty = true};
  size_t begin = 0;  // Of the frame.
  size_t pos = 0;
  while (pos < size) {
    const auto skipped =
        static_cast<size_t>(std::min<uint64_t>(skip_, size - pos));
    skip_ -= skipped;
    pos += skipped;
    if (pos == size) break;
    if (have_ == 0) begin = pos;
    size_t need = kFrameHeader;
    if (have_ >= kFrameHeader) need += kPriorityPayload - 1;
    const size_t part = std::min(need - have_, size - pos);
    std::memcpy(head_.data() + have_, data + pos, part);
    have_ += part;
    pos += part;
    if (have_ < need) break;
    const Frame frame = Parse(head_.data());
    if (have_ == kFrameHeader && frame.type == NGHTTP2_PRIORITY &&
        frame.length == kPriorityPayload) {
      continue;  // It is judged by its payload.
    }
    batch.empty = begin == 0;
    const Verdict verdict = Judge(frame, batch, now_ns, open);
    const size_t payload_seen = have_ - kFrameHeader;
    have_ = 0;
    if (verdict != Verdict::kPass) return begin;
    skip_ = frame.length - payload_seen;
  }
  return size;
}

FrameGuard::Verdict FrameGuard::Judge(const Frame& frame, Batch& batch,
                                      int64_t now_ns, IsOpen open) {
  section_frame_ = false;
  switch (frame.type) {
    case NGHTTP2_HEADERS:
      return JudgeHeaders(frame, batch, open);
    case NGHTTP2_CONTINUATION:
      section_frame_ = true;
      section_open_ = (frame.flags & NGHTTP2_FLAG_END_HEADERS) == 0;
      return Verdict::kPass;
    case NGHTTP2_DATA: {
      const Verdict verdict = JudgeStream(frame, batch, open);
      if (verdict != Verdict::kPass) return verdict;
      const uint32_t least =
          (frame.flags & NGHTTP2_FLAG_PADDED) ? kPaddedAtLeast : 1;
      if (frame.length < least &&
          (frame.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
        return Spend(1, now_ns);
      }
      Earn();
      return Verdict::kPass;
    }
    case NGHTTP2_PRIORITY: {
      const Verdict verdict = JudgePriority(frame);
      return verdict == Verdict::kPass ? Spend(1, now_ns) : verdict;
    }
    case NGHTTP2_SETTINGS:
      return Spend((frame.flags & NGHTTP2_FLAG_ACK) ? 1 : kSettingsCost,
                   now_ns);
    case NGHTTP2_RST_STREAM:
      batch.reset = true;
      return Spend(1, now_ns);
    default:
      return Spend(1, now_ns);
  }
}

FrameGuard::Verdict FrameGuard::JudgeHeaders(const Frame& frame, Batch& batch,
                                             IsOpen open) {
  const int32_t id = frame.stream;
  if (server_ && id <= last_stream_) {
    const Verdict verdict = JudgeStream(frame, batch, open);
    if (verdict != Verdict::kPass) return verdict;
  } else if (server_ && id % 2 == 1) {
    if (id > last_stream_ + 2) {
      gaps_[next_gap_++ % gaps_.size()] = {last_stream_ + 1, id - 1};
    }
    last_stream_ = id;
    batch.opened = id;
  }
  ++sections_;
  section_frame_ = true;
  section_open_ = (frame.flags & NGHTTP2_FLAG_END_HEADERS) == 0;
  Earn();
  return Verdict::kPass;
}

FrameGuard::Verdict FrameGuard::JudgePriority(const Frame& frame) {
  if (frame.stream == 0) {
    return Fail(NGHTTP2_PROTOCOL_ERROR, "PRIORITY on stream 0");
  }
  // nghttp2 refuses other lengths.
  if (frame.length == kPriorityPayload &&
      ReadStream(head_.data() + kFrameHeader) == frame.stream) {
    return Fail(NGHTTP2_PROTOCOL_ERROR, "a stream that depends on itself");
  }
  return Verdict::kPass;
}

FrameGuard::Verdict FrameGuard::JudgeStream(const Frame& frame,
                                            const Batch& batch, IsOpen open) {
  const int32_t id = frame.stream;
  // Those of this side, of none, and idle ones are nghttp2's to judge.
  if (!server_ || id % 2 == 0 || id > last_stream_) return Verdict::kPass;
  if (id == batch.opened && !batch.reset) return Verdict::kPass;
  if (open(id)) {
    return batch.reset && !batch.empty ? Verdict::kReadFirst : Verdict::kPass;
  }
  if (!batch.empty) return Verdict::kReadFirst;
  if (id <= forgiven_ || WasReset(id)) return Verdict::kPass;
  if (frame.type == NGHTTP2_HEADERS && WasSkipped(id)) {
    return Fail(NGHTTP2_PROTOCOL_ERROR, "HEADERS of an older stream");
  }
  return Fail(NGHTTP2_STREAM_CLOSED, "a frame on a closed stream");
}

FrameGuard::Verdict FrameGuard::Fail(uint32_t error_code, std::string_view what,
                                     bool flood) {
  violation_ = {error_code, what, flood};
  return Verdict::kViolation;
}

void FrameGuard::OnReset(int32_t id, uint32_t error_code, int64_t now_ns) {
  if (server_ && !WasReset(id)) {
    int32_t& oldest = resets_[next_reset_++ % resets_.size()];
    forgiven_ = std::max(forgiven_, oldest);
    oldest = id;
  }
  if (IsProvoked(error_code)) Spend(kBrokenStreamCost, now_ns);
}

bool FrameGuard::WasReset(int32_t id) const {
  return std::find(resets_.begin(), resets_.end(), id) != resets_.end();
}

bool FrameGuard::WasSkipped(int32_t id) const {
  return std::any_of(gaps_.begin(), gaps_.end(), [id](const Gap& gap) {
    return gap.first <= id && id <= gap.last;
  });
}

void FrameGuard::Earn() {
  account_ = std::min(account_ + kPerUsefulFrame, kMost);
}

FrameGuard::Verdict FrameGuard::Spend(int64_t cost, int64_t now_ns) {
  account_ -= cost;
  if (account_ >= 0) return Verdict::kPass;
  const int64_t passed = std::min(now_ns - filled_ns_, kLongestNs);
  filled_ns_ = now_ns;
  account_ = std::min(account_ + passed * kPerSecond / 1'000'000'000, kMost);
  if (account_ >= 0) return Verdict::kPass;
  return Fail(NGHTTP2_ENHANCE_YOUR_CALM, "too many frames for nothing",
              /*flood=*/true);
}

}  // namespace bandit::http2
