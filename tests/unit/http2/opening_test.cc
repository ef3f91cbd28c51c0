// SPDX-License-Identifier: Apache-2.0
#include "router/http2/opening.h"

#include <gtest/gtest.h>

#include <string>

namespace bandit::http2 {
namespace {

TEST(OpeningTest, Http1IsToldInItsOwnWordsWhatThePortSpeaks) {
  for (const char* request : {"GET / HTTP/1.1\r\n", "OPTIONS * HTTP/1.0\r\n",
                              "POST /s/m HTTP/1.1\r\nHost: x\r\n\r\n"}) {
    const Opening opening = ReadOpening(request);
    EXPECT_EQ(opening.answer.substr(0, 13), "HTTP/1.1 505 ") << request;
    EXPECT_NE(opening.what.find("HTTP/1"), std::string_view::npos);
  }
}

TEST(OpeningTest, TheAnswersLengthIsThatOfItsBody) {
  const std::string answer(ReadOpening("GET / HTTP/1.1\r\n").answer);
  const size_t at = answer.find("content-length: ");
  ASSERT_NE(at, std::string::npos);
  const size_t body = answer.find("\r\n\r\n");
  ASSERT_NE(body, std::string::npos);
  EXPECT_EQ(std::stoul(answer.substr(at + 16)), answer.size() - body - 4);
}

TEST(OpeningTest, TlsOnACleartextPortIsCalledThat) {
  const Opening opening = ReadOpening("\x16\x03\x01\x02\x00\x01");
  EXPECT_TRUE(opening.answer.empty());
  EXPECT_NE(opening.what.find("TLS"), std::string_view::npos);
}

TEST(OpeningTest, OtherBytesGetNoAnswer) {
  for (const std::string& bytes :
       {std::string(), std::string("\0\0\0", 3), std::string("get / http"),
        std::string(" "), std::string("PRI*"),
        std::string("INVALID CONNECTION PREFACE\r\n\r\n"),
        std::string("GET /\r\nx HTTP/1.1"), std::string(" HTTP/1.1")}) {
    EXPECT_TRUE(ReadOpening(bytes).answer.empty()) << bytes;
    EXPECT_FALSE(ReadOpening(bytes).what.empty());
  }
}

}  // namespace
}  // namespace bandit::http2
