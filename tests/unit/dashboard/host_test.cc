// SPDX-License-Identifier: Apache-2.0
#include "router/dashboard/host.h"

#include "gtest/gtest.h"

namespace bandit::dashboard {
namespace {

TEST(HostTest, NamesThatNobodyOutsideCanOwnAreTrusted) {
  for (const char* host :
       {"127.0.0.1", "127.0.0.1:9090", "10.1.2.3:80", "[::1]:9090", "[::1]",
        "localhost", "LOCALHOST:9090", "localhost.", "router", "router:9090",
        "a.localhost:1", "router.prod.svc", "router.prod.svc.cluster.local:80",
        "printer.local", "metadata.google.internal"}) {
    EXPECT_TRUE(IsTrustedHost(host, {})) << host;
  }
}

TEST(HostTest, OthersAreNot) {
  for (const char* host :
       {"", ":9090", "evil.example.com", "127.0.0.1.evil.example",
        "localhost.evil.example:9090", "svc.example", "evil.example:80:80",
        "[::1", "[::1]x", "[::1]:x", "a.b:c", "1.2.3.4.5", "notlocal.org"}) {
    EXPECT_FALSE(IsTrustedHost(host, {})) << host;
  }
}

TEST(HostTest, TheConfigMayAllowMore) {
  const std::vector<std::string> allowed = {"bandit.example.com"};
  EXPECT_TRUE(IsTrustedHost("bandit.example.com", allowed));
  EXPECT_TRUE(IsTrustedHost("Bandit.Example.com.:443", allowed));
  EXPECT_FALSE(IsTrustedHost("x.bandit.example.com", allowed));
}

}  // namespace
}  // namespace bandit::dashboard
