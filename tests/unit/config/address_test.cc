// SPDX-License-Identifier: Apache-2.0
// What is accepted, and how it is taken apart; bad_configs_test has what is
// not.
#include "router/config/address.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace bandit::config {
namespace {

TEST(AddressTest, ReadsHostAndPort) {
  for (const auto& [text, host] :
       {std::pair<std::string_view, std::string_view>{"models:8001", "models"},
        {"10.0.0.7:8001", "10.0.0.7"},
        {"[::1]:8001", "::1"},
        {"[fe80::1:2]:8001", "fe80::1:2"},
        {"a-b.models_2.svc.cluster.local:8001",
         "a-b.models_2.svc.cluster.local"},
        {"models.:8001", "models."}}) {
    const auto address = ParseBackendAddress(text);
    ASSERT_TRUE(address.ok()) << text << address.status();
    EXPECT_EQ(address->kind, Address::Kind::kHost);
    EXPECT_EQ(address->host, host);
    EXPECT_EQ(address->port, 8001);
  }
}

TEST(AddressTest, ReadsDnsNames) {
  const auto address = ParseBackendAddress("dns:///models.svc:8001");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->kind, Address::Kind::kDns);
  EXPECT_EQ(address->host, "models.svc");
  EXPECT_EQ(address->port, 8001);
}

TEST(AddressTest, ReadsUnixSockets) {
  const auto address = ParseBackendAddress("unix:/run/models.sock");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->kind, Address::Kind::kUnix);
  EXPECT_EQ(address->path, "/run/models.sock");
}

TEST(AddressTest, ListensOnAnyPort) {
  EXPECT_EQ(ParseListenAddress("127.0.0.1:0")->port, 0);
  EXPECT_EQ(ParseListenAddress("[::]:65535")->port, 65535);
  EXPECT_EQ(ParseListenAddress("localhost:80")->host, "localhost");
}

TEST(AddressTest, RejectsLongNames) {
  const std::string label(63, 'a');
  EXPECT_TRUE(ParseBackendAddress(label + ".b:1").ok());
  EXPECT_FALSE(ParseBackendAddress(label + "a.b:1").ok());
  EXPECT_FALSE(ParseBackendAddress(label + "." + label + "." + label + "." +
                                   label + ":1")
                   .ok());
}

TEST(AddressTest, LeavesOutUserAndPassword) {
  EXPECT_EQ(WithoutSecrets("redis://user:pw@host:1/0"), "redis://***@host:1/0");
  EXPECT_EQ(WithoutSecrets("redis://:p@w@host"), "redis://***@host");
  EXPECT_EQ(WithoutSecrets("user:pw@host:1"), "***@host:1");
  EXPECT_EQ(WithoutSecrets("sqlite:///a@b.db"), "sqlite:///a@b.db");
}

}  // namespace
}  // namespace bandit::config
