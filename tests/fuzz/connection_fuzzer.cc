// SPDX-License-Identifier: Apache-2.0
// A whole connection whose peer sends anything: the session over a transport in
// memory, with a handler that echoes. Nothing may crash; what the session sends
// is whole frames; each stream is told its end once, and the owner's comes
// last; what is held in blocks is given back.
//
// The first byte: bit 0: the session is the client and has two requests open;
// 1: the peer's preface and SETTINGS come first; 2: the transport takes only
// some bytes at a time; 3: the handler consumes late; 4: limits of time. Then
// parts: a byte that says how many bytes follow that the peer sends at once; 0:
// five seconds pass, or the transport takes bytes again.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "router/http2/session.h"
#include "tests/fuzz/check.h"

namespace bandit::http2 {
namespace {

// Both ends of what a socket would be.
struct Wire {
  std::string to_session;
  bool ended = false;  // Nothing follows.
  std::string from_session;
  size_t room = SIZE_MAX;  // That the session may still write.
  std::function<void()> readable;
  std::function<void()> writable;
};

class MemoryTransport : public Transport {
 public:
  explicit MemoryTransport(Wire* wire) : wire_(wire) {}

  Result Read(uint8_t* data, size_t size) override {
    if (wire_->to_session.empty()) {
      return {
          wire_->ended ? Result::State::kClosed : Result::State::kWouldBlock,
          0,
          {}};
    }
    size = std::min(size, wire_->to_session.size());
    std::copy_n(wire_->to_session.begin(), size, data);
    wire_->to_session.erase(0, size);
    return {Result::State::kDone, size, {}};
  }
  Result Write(const iovec* vectors, int count) override {
    size_t written = 0;
    for (int i = 0; i < count; ++i) {
      const size_t size = std::min(vectors[i].iov_len, wire_->room);
      wire_->from_session.append(static_cast<const char*>(vectors[i].iov_base),
                                 size);
      wire_->room -= size;
      written += size;
    }
    if (written == 0) return {Result::State::kWouldBlock, 0, {}};
    return {Result::State::kDone, written, {}};
  }
  void WaitRead(std::function<void()> ready) override {
    wire_->readable = std::move(ready);
  }
  void WaitWrite(std::function<void()> ready) override {
    wire_->writable = std::move(ready);
  }
  void Close() override {
    FUZZ_CHECK(!std::exchange(closed_, true));
    wire_->readable = nullptr;
    wire_->writable = nullptr;
  }
  std::string peer() const override { return "fuzzer"; }

 private:
  Wire* const wire_;
  bool closed_ = false;
};

// Sends back what it gets.
class Echo : public Stream {
 public:
  Echo(Session& session, bool late) : session_(session), late_(late) {}

  HeaderBlock* OnHeadersBegin() override {
    FUZZ_CHECK(!closed);
    fields_.Clear();
    return &fields_;
  }
  void OnHeaders(bool, bool) override {
    FUZZ_CHECK(!closed && !ended_);
    if (!serving || std::exchange(answered_, true)) return;
    response_.AddBorrowed(":status", "200");
    session_.SubmitResponse(id, response_.fields(), false);
  }
  void OnData(const BlockRef& block, const uint8_t* data,
              size_t size) override {
    FUZZ_CHECK(!closed && !ended_);
    if (late_) {
      unconsumed_ += size;
    } else {
      session_.Consume(id, size);
    }
    if (!serving) return;
    body_.Append(session_.loop().pool(), block, data, size);
    session_.Resume(id);
  }
  void OnEnd() override {
    FUZZ_CHECK(!closed && !std::exchange(ended_, true));
    if (!serving) return;
    trailers_.AddBorrowed("grpc-status", "0");
    session_.Resume(id);
  }
  void OnClosed(uint32_t) override {
    FUZZ_CHECK(!std::exchange(closed, true));
    body_.Clear();
  }
  Outgoing Peek(size_t max) override {
    FUZZ_CHECK(!closed);
    Outgoing next{.size = std::min(max, body_.size())};
    next.end = ended_ && next.size == body_.size();
    if (next.end) {
      next.trailers = true;
      if (!std::exchange(trailing_, true)) {
        session_.SubmitTrailers(id, trailers_.fields());
      }
    }
    return next;
  }
  void Take(size_t size, SliceQueue& out) override {
    body_.MoveTo(out, session_.loop().pool(), size);
  }
  bool HasOutput() const override { return !body_.empty(); }

  void ConsumeNow() {
    if (closed || unconsumed_ == 0) return;
    session_.Consume(id, std::exchange(unconsumed_, 0));
  }

  int32_t id = 0;
  bool serving = true;
  bool closed = false;

 private:
  Session& session_;
  const bool late_;
  HeaderBlock fields_;
  HeaderBlock response_;
  HeaderBlock trailers_;
  SliceQueue body_;
  size_t unconsumed_ = 0;
  bool answered_ = false;
  bool ended_ = false;
  bool trailing_ = false;
};

class Connection {
 public:
  explicit Connection(uint8_t mode)
      : client_(mode & 1),
        greeted_(mode & 2),
        slow_(mode & 4),
        late_(mode & 8) {
    SessionOptions options{.stream_window = 1 << 16,
                           .max_concurrent_streams = 10,
                           .max_header_list = 4096};
    if (mode & 16) {
      options.header_timeout = options.idle_timeout = absl::Seconds(30);
      options.stall_timeout = options.keepalive = absl::Seconds(20);
      options.keepalive_timeout = absl::Seconds(10);
    }
    session_ = std::make_shared<Session>(
        loop_, client_ ? Session::Role::kClient : Session::Role::kServer,
        options,
        Session::Events{
            .on_stream = [this](Session&, int32_t id) { return &Serve(id); },
            .on_dead = [this](Session&, const std::string&) { End(); }});
    session_->Start(std::make_unique<MemoryTransport>(&wire_));
    if (client_) Request(), Request();
    Settle();
    if (greeted_) Greet();
  }

  ~Connection() {
    wire_.ended = true;
    if (wire_.readable) std::exchange(wire_.readable, nullptr)();
    Settle();
    session_->Close("the input's end");
    FUZZ_CHECK(dead_);
    for (const auto& [id, stream] : streams_) FUZZ_CHECK(stream->closed);
    CheckFrames();
  }

  void Send(std::string_view bytes) {
    if (session_->dead()) return;
    wire_.to_session.append(bytes);
    while (!wire_.to_session.empty() && wire_.readable) {
      std::exchange(wire_.readable, nullptr)();
      Settle();
    }
  }

  void Pass() {
    now_ += 5'000'000'000;
    loop_.UpdateTime();
    loop_.wheel().Advance();
    wire_.room = slow_ ? 50 : SIZE_MAX;
    if (wire_.writable) std::exchange(wire_.writable, nullptr)();
    for (const auto& [id, stream] : streams_) stream->ConsumeNow();
    Settle();
  }

 private:
  Stream& Serve(int32_t id) {
    FUZZ_CHECK(!client_ && !dead_);
    auto& stream = streams_[id];
    FUZZ_CHECK(stream == nullptr);
    stream = std::make_unique<Echo>(*session_, late_);
    stream->id = id;
    return *stream;
  }

  void Request() {
    auto stream = std::make_unique<Echo>(*session_, late_);
    stream->serving = false;
    HeaderBlock headers;
    headers.AddBorrowed(":method", "POST");
    headers.AddBorrowed(":scheme", "http");
    headers.AddBorrowed(":path", "/s/m");
    headers.AddBorrowed(":authority", "host");
    stream->id = session_->SubmitRequest(headers.fields(), true, stream.get());
    FUZZ_CHECK(stream->id > 0);
    const int32_t id = stream->id;
    streams_[id] = std::move(stream);
  }

  void Greet() {
    std::string hello;
    if (!client_) hello.assign(NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN);
    hello.append("\0\0\0\4\0\0\0\0\0", 9);
    Send(hello);
  }

  void End() {
    FUZZ_CHECK(!std::exchange(dead_, true));
    for (const auto& [id, stream] : streams_) FUZZ_CHECK(stream->closed);
  }

  void Settle() {
    loop_.io().restart();
    while (loop_.io().poll() > 0) loop_.io().restart();
  }

  // What was sent is frames, the last of which may be cut off.
  void CheckFrames() const {
    std::string_view bytes = wire_.from_session;
    if (bytes.starts_with("HTTP/1.1 505")) return;
    if (client_) {
      FUZZ_CHECK(bytes.starts_with(
          std::string_view(NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN)));
      bytes.remove_prefix(NGHTTP2_CLIENT_MAGIC_LEN);
    }
    const auto at = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
    while (bytes.size() >= 9) {
      const size_t size = size_t{at(0)} << 16 | at(1) << 8 | at(2);
      FUZZ_CHECK(size <= 16384 && at(3) <= NGHTTP2_CONTINUATION);
      bytes.remove_prefix(std::min(bytes.size(), 9 + size));
    }
  }

  const bool client_, greeted_, slow_, late_;
  int64_t now_ = 1'000'000'000'000;
  Wire wire_;
  Loop loop_{[this] { return now_; }};
  std::map<int32_t, std::unique_ptr<Echo>> streams_;
  std::shared_ptr<Session> session_;
  bool dead_ = false;
};

}  // namespace
}  // namespace bandit::http2

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  bandit::http2::Connection connection(data[0]);
  std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  while (!rest.empty()) {
    const size_t part = static_cast<uint8_t>(rest[0]);
    rest.remove_prefix(1);
    if (part == 0) {
      connection.Pass();
    } else {
      connection.Send(rest.substr(0, part));
    }
    rest.remove_prefix(std::min(part, rest.size()));
  }
  return 0;
}
