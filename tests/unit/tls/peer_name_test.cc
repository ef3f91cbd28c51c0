// SPDX-License-Identifier: Apache-2.0
#include "router/tls/peer_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/tls/test_certificates.h"

namespace bandit::tls {
namespace {

using ::testing::ElementsAre;
using testing::MakeIdentity;

TEST(PeerNameTest, NamesAreTheSubjectsAlternatives) {
  const auto with =
      MakeIdentity({.names = {"DNS:a.test", "IP:10.0.0.7", "IP:::1",
                              "URI:spiffe://c/ns/a/sa/b"}});
  EXPECT_THAT(NamesOf(*with.certificate),
              ElementsAre("a.test", "10.0.0.7", "::1", "spiffe://c/ns/a/sa/b"));
  EXPECT_THAT(NamesOf(*MakeIdentity({}).certificate), ElementsAre());
}

TEST(PeerNameTest, AServersCertificateMayHaveAWildcardForOneLabel) {
  const auto with = MakeIdentity({.names = {"DNS:*.a.test", "IP:10.0.0.7"}});
  X509& certificate = *with.certificate;
  EXPECT_TRUE(IsForHost(certificate, "x.a.test"));
  EXPECT_TRUE(IsForHost(certificate, "X.A.TEST"));
  EXPECT_FALSE(IsForHost(certificate, "a.test"));
  EXPECT_FALSE(IsForHost(certificate, "x.y.a.test"));
  EXPECT_FALSE(IsForHost(certificate, ".a.test"));
  EXPECT_FALSE(IsForHost(certificate, ""));
  EXPECT_TRUE(IsForHost(certificate, "10.0.0.7"));
  EXPECT_FALSE(IsForHost(certificate, "10.0.0.8"));
}

TEST(PeerNameTest, TheCommonNameIsNoName) {
  // MakeIdentity calls it "test N".
  const auto without = MakeIdentity({});
  char name[64] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(without.certificate.get()),
                            NID_commonName, name, sizeof(name));
  EXPECT_FALSE(IsForHost(*without.certificate, name));
  EXPECT_FALSE(HasName(*without.certificate, name));
}

TEST(PeerNameTest, RulesTakeExactNamesAndOneMoreLabel) {
  const auto with = MakeIdentity(
      {.names = {"DNS:Shop.apps.test", "URI:spiffe://c/ns/apps/sa/shop"}});
  X509& certificate = *with.certificate;
  for (const char* rule : {"shop.apps.test", "*.apps.test", "*.APPS.test",
                           "spiffe://c/ns/apps/sa/shop"}) {
    EXPECT_TRUE(HasName(certificate, rule)) << rule;
  }
  for (const char* rule :
       {"apps.test", "*.test", "*.shop.apps.test", "hop.apps.test", "*",
        "spiffe://c/ns/apps/sa/Shop", "spiffe://c/ns/apps/sa", ""}) {
    EXPECT_FALSE(HasName(certificate, rule)) << rule;
  }
}

TEST(PeerNameTest, AClientsWildcardIsNoNameOfAnother) {
  const auto with = MakeIdentity({.names = {"DNS:*.apps.test"}});
  EXPECT_FALSE(HasName(*with.certificate, "shop.apps.test"));
  EXPECT_TRUE(HasName(*with.certificate, "*.apps.test"));
}

TEST(PeerNameTest, SaysWhatIsNoRule) {
  for (const char* good :
       {"a.test", "*.a.test", "a_b.test", "10.0.0.7", "spiffe://c/ns/a/sa/b"}) {
    EXPECT_EQ(WhyNoNameRule(good), "") << good;
  }
  for (const char* bad : {"", "*", "*.", "a.*.test", ".a.test", "a..test",
                          "a b", "spiffe://c/*", "http://a b"}) {
    EXPECT_NE(WhyNoNameRule(bad), "") << bad;
  }
}

}  // namespace
}  // namespace bandit::tls
