// SPDX-License-Identifier: Apache-2.0
#include "router/upstream/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bandit::upstream {
namespace {

using ::testing::HasSubstr;
using Kind = Address::Kind;

TEST(AddressTest, ReadsWhatTheConfigMayHold) {
  const struct {
    const char* text;
    Kind kind;
    const char* host;
    int port;
    const char* path;
  } cases[] = {
      {"10.0.0.7:8001", Kind::kTcp, "10.0.0.7", 8001, ""},
      {"ranker:1", Kind::kTcp, "ranker", 1, ""},
      {"[::1]:8001", Kind::kTcp, "::1", 8001, ""},
      {"dns:///ranker.models.svc:8001", Kind::kTcp, "ranker.models.svc", 8001,
       ""},
      {"127.0.0.1:0", Kind::kTcp, "127.0.0.1", 0, ""},
      {"unix:/run/m.sock", Kind::kUnix, "", 0, "/run/m.sock"},
      {"unix:///run/m.sock", Kind::kUnix, "", 0, "/run/m.sock"},
      {"unix-abstract:a/b", Kind::kUnixAbstract, "", 0, "a/b"},
  };
  for (const auto& c : cases) {
    const auto address = ParseAddress(c.text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->kind, c.kind) << c.text;
    EXPECT_EQ(address->host, c.host) << c.text;
    EXPECT_EQ(address->port, c.port) << c.text;
    EXPECT_EQ(address->path, c.path) << c.text;
  }
}

TEST(AddressTest, SaysWhatIsWrong) {
  const struct {
    const char* text;
    const char* wrong;
  } cases[] = {
      {"", "has no port"},
      {"ranker", "has no port"},
      {":8001", "has no host"},
      {"ranker:", "[0, 65535]"},
      {"ranker:65536", "[0, 65535]"},
      {"ranker:80x", "[0, 65535]"},
      {"::1:8001", "without brackets"},
      {"unix:relative", "no absolute path"},
      {"unix-abstract:", "has no name"},
  };
  for (const auto& c : cases) {
    const auto address = ParseAddress(c.text);
    ASSERT_FALSE(address.ok()) << c.text;
    EXPECT_THAT(std::string(address.status().message()), HasSubstr(c.wrong));
  }
}

TEST(AddressTest, IsWrittenAsItIsRead) {
  for (const char* text :
       {"10.0.0.7:8001", "[::1]:8001", "unix:/run/m.sock", "unix-abstract:a"}) {
    EXPECT_EQ(ParseAddress(text)->ToString(), text);
  }
}

}  // namespace
}  // namespace bandit::upstream
