// SPDX-License-Identifier: Apache-2.0
// A server session and a peer that the test plays byte by byte, on a clock that
// the test moves.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "asio/local/connect_pair.hpp"
#include "asio/local/stream_protocol.hpp"
#include "router/http2/session.h"
#include "tests/unit/http2/frames.h"

namespace bandit::http2 {
namespace {

using namespace bandit::testing;  // NOLINT: frames.
using Local = asio::local::stream_protocol;

// Takes what comes, answers with `answer` when the test says so.
class Handler : public Stream {
 public:
  Handler(Session& session, int32_t id) : session_(session), id_(id) {}

  HeaderBlock* OnHeadersBegin() override { return &headers_; }
  void OnHeaders(bool, bool) override { headers_done = true; }
  void OnData(const BlockRef&, const uint8_t*, size_t size) override {
    session_.Consume(id_, size);
  }
  void OnEnd() override {}
  void OnClosed(uint32_t code) override { closed = static_cast<int>(code); }
  Outgoing Peek(size_t max) override {
    return {.size = std::min(max, answer_.size())};
  }
  void Take(size_t size, SliceQueue& out) override {
    answer_.MoveTo(out, session_.loop().pool(), size);
  }
  bool HasOutput() const override { return !answer_.empty(); }

  // Begins a response of `size` bytes that does not end.
  void Answer(size_t size) {
    answer_.Copy(session_.loop().pool(), BlockPool::kMedium,
                 std::string(size, 'a'));
    if (std::exchange(answered_, true)) return session_.Resume(id_);
    HeaderBlock response;
    response.AddBorrowed(":status", "200");
    session_.SubmitResponse(id_, response.fields(), false);
  }

  bool headers_done = false;
  int closed = -1;

 private:
  Session& session_;
  const int32_t id_;
  HeaderBlock headers_;
  SliceQueue answer_;
  bool answered_ = false;
};

class SessionLimitsTest : public ::testing::Test {
 protected:
  ~SessionLimitsTest() override {
    if (server) server->Close("end of test");
  }

  void Connect(const SessionOptions& options = {}) {
    server = std::make_shared<Session>(
        loop, Session::Role::kServer, options,
        Session::Events{
            .on_stream =
                [this](Session& session, int32_t id) {
                  auto& handler = handlers[id];
                  handler = std::make_unique<Handler>(session, id);
                  return handler.get();
                },
            .on_dead = [this](Session&,
                              const std::string& why) { dead_for = why; }});
    Local::socket theirs(loop.io());
    asio::local::connect_pair(peer, theirs);
    peer.non_blocking(true);
    server->Start(PlainTransport(std::move(theirs)));
  }

  void Send(std::string_view bytes) {
    while (!bytes.empty() && !server->dead()) {
      std::error_code error;
      const size_t sent =
          peer.write_some(asio::buffer(bytes.data(), bytes.size()), error);
      bytes.remove_prefix(sent);
      Settle();
    }
  }

  void Settle() {
    loop.io().restart();
    while (loop.io().poll() > 0) loop.io().restart();
  }

  void Pass(absl::Duration time) {
    // In steps: timers set others.
    for (int i = 0; i < 10; ++i) {
      clock += absl::ToInt64Nanoseconds(time) / 10;
      loop.UpdateTime();
      loop.wheel().Advance();
      Settle();
    }
  }

  // All that the server has sent and was not read.
  std::string Read() {
    std::string all;
    std::string part(1 << 16, '\0');
    for (std::error_code error; !error;) {
      const size_t size = peer.read_some(asio::buffer(part), error);
      all.append(part, 0, size);
    }
    return all;
  }

  // Types of the frames in `bytes`, and the error code of a GOAWAY.
  static std::map<int, int> Count(std::string_view bytes, int* goaway) {
    std::map<int, int> types;
    const auto at = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
    while (bytes.size() >= 9) {
      const size_t size = size_t{at(0)} << 16 | at(1) << 8 | at(2);
      ++types[at(3)];
      if (at(3) == NGHTTP2_GOAWAY) *goaway = at(9 + 7);
      bytes.remove_prefix(std::min(bytes.size(), 9 + size));
    }
    return types;
  }

  void Opened() { Send(Preface() + Settings()); }

  int64_t clock = 1'000'000'000'000;
  Loop loop{[this] { return clock; }};
  Local::socket peer{loop.io()};
  std::shared_ptr<Session> server;
  std::map<int32_t, std::unique_ptr<Handler>> handlers;
  std::string dead_for;
};

// --- time

TEST_F(SessionLimitsTest, AClientThatSaysNothingIsCut) {
  Connect({.header_timeout = absl::Seconds(10)});
  Pass(absl::Seconds(9));
  EXPECT_FALSE(server->dead());
  Pass(absl::Seconds(2));
  EXPECT_TRUE(server->dead());
  EXPECT_EQ(server->closed_for(), CloseReason::kHeaderTimeout);
  EXPECT_EQ(dead_for, "no complete preface within 10s");
}

// Slowloris: a byte now and then does not help.
TEST_F(SessionLimitsTest, APrefaceByteByByteIsCut) {
  Connect({.header_timeout = absl::Seconds(10)});
  for (int i = 0; i < 12; ++i) {
    Send(Preface().substr(i, 1));
    Pass(absl::Seconds(1));
  }
  EXPECT_EQ(server->closed_for(), CloseReason::kHeaderTimeout);
}

TEST_F(SessionLimitsTest, HeadersByteByByteAreCut) {
  Connect({.header_timeout = absl::Seconds(10)});
  Opened();
  Pass(absl::Minutes(1));
  const std::string headers = HeadersFrame(1, 0);
  Send(headers);
  Pass(absl::Seconds(9));
  EXPECT_FALSE(server->dead());
  Send(Frame(NGHTTP2_CONTINUATION, 0, 1));
  Pass(absl::Seconds(2));
  EXPECT_EQ(server->closed_for(), CloseReason::kHeaderTimeout);
  EXPECT_EQ(dead_for, "no complete headers within 10s");
}

TEST_F(SessionLimitsTest, EachSectionHasItsOwnTime) {
  Connect({.header_timeout = absl::Seconds(10)});
  Opened();
  for (int32_t id = 1; id < 20; id += 2) {
    const std::string headers = HeadersFrame(id);
    Send(headers.substr(0, 12));
    Pass(absl::Seconds(6));
    Send(headers.substr(12));
  }
  EXPECT_FALSE(server->dead());
  EXPECT_TRUE(handlers.at(19)->headers_done);
  // A body may take its time.
  Send(Data(19, "slow").substr(0, 10));
  Pass(absl::Minutes(5));
  EXPECT_FALSE(server->dead());
}

TEST_F(SessionLimitsTest, AnIdleConnectionIsDrainedThenClosed) {
  Connect({.idle_timeout = absl::Minutes(10)});
  Opened();
  Send(HeadersFrame(1));
  Pass(absl::Minutes(30));
  EXPECT_FALSE(server->dead());
  Send(Reset(1));
  Pass(absl::Minutes(9));
  EXPECT_FALSE(server->dead());
  Pass(absl::Minutes(2));
  EXPECT_TRUE(server->dead());
  EXPECT_EQ(server->closed_for(), CloseReason::kIdleTimeout);
  int code = -1;
  EXPECT_EQ(Count(Read(), &code)[NGHTTP2_GOAWAY], 1);
  EXPECT_EQ(code, NGHTTP2_NO_ERROR);
}

TEST_F(SessionLimitsTest, ASilentClientWithARequestIsAsked) {
  Connect(
      {.keepalive = absl::Seconds(60), .keepalive_timeout = absl::Seconds(20)});
  Opened();
  Pass(absl::Hours(1));
  int code = -1;
  EXPECT_EQ(Count(Read(), &code)[NGHTTP2_PING], 0);
  Send(HeadersFrame(1));
  Pass(absl::Seconds(95));
  EXPECT_EQ(Count(Read(), &code)[NGHTTP2_PING], 1);
  Send(Ping(NGHTTP2_FLAG_ACK));
  Pass(absl::Seconds(50));
  EXPECT_FALSE(server->dead());
  // This time there is no answer.
  Pass(absl::Seconds(70));
  EXPECT_EQ(server->closed_for(), CloseReason::kKeepaliveTimeout);
  EXPECT_EQ(handlers.at(1)->closed, NGHTTP2_CANCEL);
}

TEST_F(SessionLimitsTest, AClientThatOpensNoWindowIsCut) {
  Connect({.stall_timeout = absl::Seconds(60)});
  Send(Preface() + Settings(std::string_view("\0\x4\0\0\0\0", 6)));
  Send(HeadersFrame(1));
  handlers.at(1)->Answer(100);
  Pass(absl::Seconds(59));
  EXPECT_FALSE(server->dead());
  Send(Ping());
  Pass(absl::Seconds(70));
  EXPECT_EQ(server->closed_for(), CloseReason::kStallTimeout);
}

// Others of the connection take what waits for them: one stream is at fault.
TEST_F(SessionLimitsTest, AStreamThatTakesNothingIsReset) {
  Connect({.stall_timeout = absl::Seconds(60)});
  Send(Preface() + Settings(std::string_view("\0\x4\0\0\0\x1", 6)));
  Send(HeadersFrame(1) + HeadersFrame(3));
  handlers.at(1)->Answer(10);
  handlers.at(3)->Answer(1000);
  for (int i = 0; i < 100; ++i) {
    Pass(absl::Seconds(1));
    Send(Window(3));
  }
  EXPECT_FALSE(server->dead());
  EXPECT_EQ(handlers.at(1)->closed, NGHTTP2_CANCEL);
  EXPECT_EQ(handlers.at(3)->closed, -1);
}

// A stream whose window was used up and that had nothing to send for long is
// not stalled the moment that something comes.
TEST_F(SessionLimitsTest, WhatCameJustNowHasNotStalled) {
  Connect({.stall_timeout = absl::Seconds(60)});
  Send(Preface() + Settings(std::string_view("\0\x4\0\0\0\x5", 6)));
  Send(HeadersFrame(1));
  handlers.at(1)->Answer(5);
  Pass(absl::Hours(1));
  handlers.at(1)->Answer(5);
  Pass(absl::Seconds(55));
  EXPECT_FALSE(server->dead());
  Send(Window(1));
  Pass(absl::Seconds(55));
  EXPECT_FALSE(server->dead());
}

TEST_F(SessionLimitsTest, AClientThatReadsNothingIsCut) {
  Connect({.stall_timeout = absl::Seconds(60)});
  Send(Preface() + Settings(std::string_view("\0\x4\x7f\xff\xff\xff", 6)) +
       Frame(NGHTTP2_WINDOW_UPDATE, 0, 0, std::string_view("\x7f\0\0\0", 4)));
  Send(HeadersFrame(1));
  handlers.at(1)->Answer(10'000'000);
  Settle();
  Pass(absl::Seconds(55));
  EXPECT_FALSE(server->dead());
  EXPECT_TRUE(handlers.at(1)->HasOutput());
  Pass(absl::Seconds(40));
  EXPECT_EQ(server->closed_for(), CloseReason::kStallTimeout);
}

TEST_F(SessionLimitsTest, WithoutLimitsTimeEndsNothing) {
  Connect();
  Pass(absl::Hours(100));
  Opened();
  Send(HeadersFrame(1, 0));
  Pass(absl::Hours(100));
  EXPECT_FALSE(server->dead());
  EXPECT_EQ(loop.wheel().size(), 0u);
}

// --- abuse

TEST_F(SessionLimitsTest, TheServerSpeaksWithItsFirstWriteNotBefore) {
  Connect();
  Settle();
  EXPECT_EQ(Read(), "");
  Opened();
  int code = -1;
  const auto types = Count(Read(), &code);
  EXPECT_EQ(types.at(NGHTTP2_SETTINGS), 2);  // And the answer to the peer's.
}

TEST_F(SessionLimitsTest, Http1IsAnsweredInHttp1) {
  Connect();
  Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(server->closed_for(), CloseReason::kNotHttp2);
  EXPECT_EQ(Read().substr(0, 12), "HTTP/1.1 505");
}

TEST_F(SessionLimitsTest, OtherBytesEndInAGoAway) {
  Connect();
  Send("\x16\x03\x01 hello");
  EXPECT_EQ(server->closed_for(), CloseReason::kNotHttp2);
  int code = -1;
  EXPECT_EQ(Count(Read(), &code)[NGHTTP2_GOAWAY], 1);
  EXPECT_EQ(code, NGHTTP2_PROTOCOL_ERROR);
}

// A close with unread bytes would reset the connection and take the GOAWAY with
// it.
TEST_F(SessionLimitsTest, TheLastWordsOutliveWhatStillComes) {
  Connect();
  Opened();
  Send(Data(1, "on an idle stream"));
  ASSERT_TRUE(server->dead());
  std::error_code error;
  for (int i = 0; i < 3; ++i) {
    peer.write_some(asio::buffer(Ping()), error);
    EXPECT_FALSE(error);
    Settle();
  }
  int code = -1;
  EXPECT_EQ(Count(Read(), &code)[NGHTTP2_GOAWAY], 1);
  EXPECT_EQ(code, NGHTTP2_PROTOCOL_ERROR);
  // It does not wait for a peer that never closes.
  Pass(absl::Seconds(2));
  peer.write_some(asio::buffer(Ping()), error);
  EXPECT_TRUE(error);
}

TEST_F(SessionLimitsTest, ALingeringCloseTakesOnlySoMuch) {
  Connect();
  Opened();
  Send(Data(1, "on an idle stream"));
  ASSERT_TRUE(server->dead());
  std::error_code error;
  size_t sent = 0;
  while (!error && sent < 10'000'000) {
    sent += peer.write_some(asio::buffer(std::string(16384, 'x')), error);
    Settle();
  }
  EXPECT_TRUE(error);
  EXPECT_LT(sent, 400'000u);
}

class FloodTest : public SessionLimitsTest {
 protected:
  // Sends `frame` until the connection ends; the GOAWAY's code.
  int Flood(const std::string& frame, bool read) {
    std::string many;
    while (many.size() < 30'000) many += frame;
    std::string got;
    for (int i = 0; i < 100 && !server->dead(); ++i) {
      Send(many);
      if (read) got += Read();
    }
    EXPECT_TRUE(server->dead());
    int code = -1;
    Count(got + Read(), &code);
    return code;
  }
};

TEST_F(FloodTest, OfPingsWhoseAnswersAreRead) {
  Connect();
  Opened();
  EXPECT_EQ(Flood(Ping(), true), NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_EQ(server->closed_for(), CloseReason::kFlood);
}

TEST_F(FloodTest, OfSettingsWhoseAnswersAreRead) {
  Connect();
  Opened();
  EXPECT_EQ(Flood(Settings(), true), NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_EQ(server->closed_for(), CloseReason::kFlood);
}

TEST_F(FloodTest, OfPingsWhoseAnswersAreNotRead) {
  Connect();
  Opened();
  Flood(Ping(), false);
  EXPECT_EQ(server->closed_for(), CloseReason::kFlood);
}

TEST_F(FloodTest, OfEmptyData) {
  Connect();
  Opened();
  Send(HeadersFrame(1));
  EXPECT_EQ(Flood(Data(1, ""), true), NGHTTP2_ENHANCE_YOUR_CALM);
}

TEST_F(FloodTest, OfEmptyContinuations) {
  Connect();
  Opened();
  Send(HeadersFrame(1, 0));
  EXPECT_EQ(Flood(Frame(NGHTTP2_CONTINUATION, 0, 1), true),
            NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_EQ(server->closed_for(), CloseReason::kFlood);
}

TEST_F(FloodTest, OfFramesThatNobodyKnows) {
  Connect();
  Opened();
  EXPECT_EQ(Flood(Frame(0xfa, 0, 0, "?"), true), NGHTTP2_ENHANCE_YOUR_CALM);
}

// CVE-2025-8671: each stream's window is made to overflow, so the server resets
// it, and the backend's work is lost.
TEST_F(FloodTest, OfStreamsThatTheServerIsMadeToReset) {
  Connect();
  Opened();
  const std::string overflow = std::string("\x7f\xff\xff\xff", 4);
  int32_t id = 1;
  std::string got;
  for (; id < 20'000 && !server->dead(); id += 2) {
    Send(HeadersFrame(id) + Frame(NGHTTP2_WINDOW_UPDATE, 0, id, overflow));
    got += Read();
  }
  EXPECT_EQ(server->closed_for(), CloseReason::kFlood);
  EXPECT_LT(id, 3'000);
}

TEST_F(SessionLimitsTest, AFrameOnAStreamThatTheClientClosedEndsIt) {
  Connect();
  Opened();
  Send(HeadersFrame(1) + Reset(1) + Data(1, "late"));
  EXPECT_EQ(server->closed_for(), CloseReason::kProtocolError);
  int code = -1;
  Count(Read(), &code);
  EXPECT_EQ(code, NGHTTP2_STREAM_CLOSED);
}

TEST_F(SessionLimitsTest, WhatCrossesARefusalIsPassedOver) {
  Connect({.max_concurrent_streams = 1});
  // The limit is not acknowledged: nghttp2 refuses the second stream.
  Send(Preface() + Settings() + HeadersFrame(1) + HeadersFrame(3));
  Send(Data(3, "it did not know"));
  EXPECT_FALSE(server->dead());
  int code = -1;
  EXPECT_EQ(Count(Read(), &code)[NGHTTP2_RST_STREAM], 1);
  EXPECT_EQ(code, -1);
}

}  // namespace
}  // namespace bandit::http2
