// SPDX-License-Identifier: Apache-2.0
#include "router/http2/frame_guard.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

#include "tests/unit/http2/frames.h"

namespace bandit::http2 {
namespace {

using namespace bandit::testing;  // NOLINT: frames.

constexpr int64_t kSecond = 1'000'000'000;

class FrameGuardTest : public ::testing::Test {
 protected:
  FrameGuardTest() { EXPECT_TRUE(Feed(Preface() + Settings())); }

  // All of it, in parts of at most `part` bytes; whether it passed.
  bool Feed(std::string_view bytes, size_t part = SIZE_MAX) {
    while (!bytes.empty()) {
      std::string_view now_read = bytes.substr(0, part);
      bytes.remove_prefix(now_read.size());
      while (!now_read.empty()) {
        const size_t passed = guard.Scan(
            reinterpret_cast<const uint8_t*>(now_read.data()), now_read.size(),
            now, [this](int32_t id) { return open.count(id) > 0; });
        if (guard.violation().has_value()) return false;
        EXPECT_GT(passed, 0u) << "no progress";
        if (passed == 0) return false;
        if (on_read) on_read(now_read.substr(0, passed));
        now_read.remove_prefix(passed);
      }
    }
    return true;
  }

  uint32_t code() const { return guard.violation().value().error_code; }
  bool flood() const { return guard.violation().value().flood; }

  int64_t now = 5 * kSecond;
  FrameGuard guard{/*server=*/true, now};
  std::set<int32_t> open;
  // What nghttp2 would do with bytes that were let pass.
  std::function<void(std::string_view)> on_read;
};

TEST_F(FrameGuardTest, AUsualConnectionPassesHoweverItIsCut) {
  for (const size_t part : {size_t{1}, size_t{2}, size_t{7}, size_t{1000}}) {
    FrameGuard fresh(true, now);
    std::swap(guard, fresh);
    open = {1, 3};
    EXPECT_TRUE(Feed(Preface() + Settings() + Window(0) + HeadersFrame(1) +
                         Data(1, "question", NGHTTP2_FLAG_END_STREAM) +
                         HeadersFrame(3) + Priority(3, 1) + Ping() +
                         Data(3, std::string(20000, 'x')) + Reset(3),
                     part))
        << part;
    std::swap(guard, fresh);
  }
}

TEST_F(FrameGuardTest, AFrameOnAStreamThatItsClientClosedIsAnError) {
  for (const std::string& late : {Data(1, "late"), HeadersFrame(1),
                                  Data(1, "", NGHTTP2_FLAG_END_STREAM)}) {
    FrameGuard fresh(true, now);
    std::swap(guard, fresh);
    open = {1};
    ASSERT_TRUE(Feed(Preface() + Settings() + HeadersFrame(1) + Reset(1)));
    open.clear();
    EXPECT_FALSE(Feed(late));
    EXPECT_EQ(code(), NGHTTP2_STREAM_CLOSED);
    EXPECT_FALSE(flood());
    std::swap(guard, fresh);
  }
}

// One read brings the reset and what follows it: the reset is read first.
TEST_F(FrameGuardTest, AResetAndALateFrameInOneReadAreToldApart) {
  on_read = [this](std::string_view bytes) {
    if (bytes.find(HeadersFrame(1)) != bytes.npos) open.insert(1);
    if (bytes.find(Reset(1)) != bytes.npos) open.erase(1);
  };
  EXPECT_FALSE(Feed(HeadersFrame(1) + Reset(1) + Data(1, "late")));
  EXPECT_EQ(code(), NGHTTP2_STREAM_CLOSED);
}

TEST_F(FrameGuardTest, WhatCrossedTheRoutersOwnResetIsNoOffence) {
  ASSERT_TRUE(Feed(HeadersFrame(1)));
  guard.OnReset(1, NGHTTP2_CANCEL, now);
  EXPECT_TRUE(Feed(Data(1, "late") + HeadersFrame(1)));
  EXPECT_TRUE(Feed(Window(1) + Reset(1)));
}

TEST_F(FrameGuardTest, StreamsResetLongAgoAreForgivenNotForgotten) {
  for (int32_t id = 1; id < 2001; id += 2) {
    open = {id};
    ASSERT_TRUE(Feed(HeadersFrame(id)));
    guard.OnReset(id, NGHTTP2_CANCEL, now);
  }
  open.clear();
  for (int32_t id = 1; id < 2001; id += 2) EXPECT_TRUE(Feed(Data(id, "late")));
}

TEST_F(FrameGuardTest, AnOlderStreamThatWasPassedOverCannotBeOpened) {
  open = {5};
  ASSERT_TRUE(Feed(HeadersFrame(5)));
  EXPECT_FALSE(Feed(HeadersFrame(3)));
  EXPECT_EQ(code(), NGHTTP2_PROTOCOL_ERROR);
}

TEST_F(FrameGuardTest, AfterGoAwayStreamsThatComeArePassedOver) {
  ASSERT_TRUE(Feed(HeadersFrame(1)));
  guard.OnGoAway();
  EXPECT_TRUE(Feed(HeadersFrame(3)));
  EXPECT_TRUE(Feed(Data(3, "body")));
}

TEST_F(FrameGuardTest, PriorityKnowsItsStream) {
  EXPECT_TRUE(Feed(Priority(9, 7)));
  EXPECT_FALSE(Feed(Priority(0, 7)));
  EXPECT_EQ(code(), NGHTTP2_PROTOCOL_ERROR);
}

TEST_F(FrameGuardTest, NoStreamDependsOnItself) {
  EXPECT_FALSE(Feed(Priority(9, 9), 1));
  EXPECT_EQ(code(), NGHTTP2_PROTOCOL_ERROR);
}

TEST_F(FrameGuardTest, AHeaderSectionIsOpenUntilItsLastByte) {
  const std::string begun = HeadersFrame(1, 0);
  const std::string end =
      Frame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, "ab");
  EXPECT_FALSE(guard.in_header_section());
  Feed(begun.substr(0, begun.size() - 1));
  EXPECT_TRUE(guard.in_header_section());
  Feed(begun.substr(begun.size() - 1));
  EXPECT_TRUE(guard.in_header_section());
  Feed(end.substr(0, end.size() - 1));
  EXPECT_TRUE(guard.in_header_section());
  Feed(end.substr(end.size() - 1));
  EXPECT_FALSE(guard.in_header_section());
  EXPECT_EQ(guard.sections(), 1u);
}

// Each kind of frame that carries nothing, without end: a client that does
// what clients do passes, thousands at once do not.
TEST_F(FrameGuardTest, AFloodOfFramesForNothingIsCutOff) {
  const std::string pad(1, '\0');
  for (const std::string& frame :
       {Ping(), Ping(NGHTTP2_FLAG_ACK), Settings(), Window(0), Window(1),
        Priority(1, 3), Data(1, ""), Data(1, pad, NGHTTP2_FLAG_PADDED),
        Reset(1), Frame(0xfa, 0, 0, "unknown"), Frame(NGHTTP2_GOAWAY, 0, 0)}) {
    FrameGuard fresh(true, now);
    std::swap(guard, fresh);
    open = {1};
    ASSERT_TRUE(Feed(Preface() + Settings() + HeadersFrame(1)));
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(Feed(frame));
    int passed = 0;
    while (passed < 20'000 && Feed(frame)) ++passed;
    EXPECT_LT(passed, 10'001) << "type " << static_cast<int>(frame[3]);
    EXPECT_EQ(code(), NGHTTP2_ENHANCE_YOUR_CALM);
    EXPECT_TRUE(flood());
    std::swap(guard, fresh);
  }
}

TEST_F(FrameGuardTest, TimeFillsTheAccount) {
  for (int second = 0; second < 60; ++second) {
    for (int i = 0; i < 900; ++i) ASSERT_TRUE(Feed(Ping()));
    now += kSecond;
  }
}

// A client that takes a large response opens windows without end.
TEST_F(FrameGuardTest, FramesThatCarrySomethingFillTheAccount) {
  open = {1};
  ASSERT_TRUE(Feed(HeadersFrame(1)));
  for (int i = 0; i < 100'000; ++i) {
    guard.OnDataSent();
    ASSERT_TRUE(Feed(Window(0) + Window(1) + Ping()));
  }
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(Feed(Data(1, "something") + Ping() + Window(0)));
  }
}

// CVE-2025-8671: the client breaks a rule on each stream, so that the server
// resets it and the stream no longer counts as open.
TEST_F(FrameGuardTest, StreamsThatHadToBeResetAreAFlood) {
  int32_t id = 1;
  for (; id < 10'000; id += 2) {
    if (!Feed(HeadersFrame(id))) break;
    guard.OnReset(id, NGHTTP2_PROTOCOL_ERROR, now);
  }
  EXPECT_LT(id, 2'000);
  EXPECT_TRUE(flood());
}

TEST_F(FrameGuardTest, ABackendsStreamsAreNotJudged) {
  FrameGuard client(false, now);
  std::swap(guard, client);
  EXPECT_TRUE(
      Feed(Settings() + HeadersFrame(1) + Data(1, "x") + HeadersFrame(3)));
  std::swap(guard, client);
}

}  // namespace
}  // namespace bandit::http2
