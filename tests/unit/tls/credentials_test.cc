// SPDX-License-Identifier: Apache-2.0
#include "router/tls/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/tls/test_certificates.h"

namespace bandit::tls {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MakeIdentity;
using ::testing::Pair;
using ::testing::SizeIs;
using testing::TemporaryFiles;

class CredentialsTest : public ::testing::Test {
 protected:
  CredentialsTest() {
    Put("server", MakeIdentity({.names = {"DNS:a.test"}, .issuer = &ca}));
    files.Write("ca.pem", ca.certificate_pem);
    config.mutable_tls()->set_certificate(files.Path("server.pem"));
    config.mutable_tls()->set_key(files.Path("server.key"));
    (*config.mutable_backends())["b"].mutable_tls()->set_ca(
        files.Path("ca.pem"));
  }

  void Put(const std::string& name, const testing::Identity& identity) {
    files.Write(name + ".pem", identity.certificate_pem);
    files.Write(name + ".key", identity.key_pem);
  }

  absl::Status Adopt() {
    auto prepared = credentials.Prepare(config);
    if (!prepared.ok()) return prepared.status();
    credentials.Adopt(*std::move(prepared));
    return absl::OkStatus();
  }

  const TemporaryFiles files;
  const testing::Identity ca = MakeIdentity({.authority = true});
  v1::RouterConfig config;
  Credentials credentials;
};

TEST_F(CredentialsTest, WithoutTlsThereIsNothing) {
  config.Clear();
  ASSERT_TRUE(Adopt().ok());
  EXPECT_EQ(credentials.listener(), nullptr);
  EXPECT_EQ(credentials.control(), nullptr);
  EXPECT_THAT(credentials.files(), IsEmpty());
}

TEST_F(CredentialsTest, ServesByWhatTheConfigNames) {
  *config.mutable_control_tls() = config.tls();
  ASSERT_TRUE(Adopt().ok());
  EXPECT_NE(credentials.listener(), nullptr);
  EXPECT_NE(credentials.control(), nullptr);
  EXPECT_TRUE(credentials.backend(config.backends().at("b").tls())->Get().ok());
  EXPECT_THAT(credentials.files(), SizeIs(5));
  EXPECT_THAT(
      credentials.totals().expiry,
      ElementsAre(Pair("control", ::testing::_), Pair("listen", ::testing::_)));
}

TEST_F(CredentialsTest, AFileThatIsMissingChangesNothing) {
  ASSERT_TRUE(Adopt().ok());
  const auto before = credentials.listener();
  config.mutable_tls()->set_key("/nowhere");
  EXPECT_THAT(std::string(Adopt().message()),
              HasSubstr("tls.key = \"/nowhere\" cannot be read"));
  EXPECT_EQ(credentials.listener(), before);
  config.mutable_tls()->set_key(files.Path("server.key"));
  config.mutable_backends()->at("b").mutable_tls()->set_ca("/nowhere");
  EXPECT_THAT(std::string(Adopt().message()),
              HasSubstr("backends.b.tls.ca = \"/nowhere\" cannot be read"));
}

TEST_F(CredentialsTest, FilesThatStayedKeepTheirContext) {
  ASSERT_TRUE(Adopt().ok());
  const auto listener = credentials.listener();
  const auto backend = credentials.backend(config.backends().at("b").tls());
  const auto context = *backend->Get();
  EXPECT_THAT(credentials.Reload(absl::Now()), IsEmpty());
  ASSERT_TRUE(Adopt().ok());
  EXPECT_EQ(credentials.listener(), listener);
  EXPECT_EQ(credentials.backend(config.backends().at("b").tls()), backend);
  EXPECT_EQ(*backend->Get(), context);
}

TEST_F(CredentialsTest, AChangedFileIsTakenOver) {
  ASSERT_TRUE(Adopt().ok());
  const auto before = credentials.listener();
  const auto backend = credentials.backend(config.backends().at("b").tls());
  const auto context = *backend->Get();
  Put("server", MakeIdentity({.names = {"DNS:b.test"}, .issuer = &ca}));
  files.Write("ca.pem", ca.certificate_pem + MakeIdentity({}).certificate_pem);
  const auto changes = credentials.Reload(absl::Now());
  ASSERT_THAT(changes, SizeIs(2));
  EXPECT_EQ(changes[0].name, "listen");
  EXPECT_TRUE(changes[0].status.ok()) << changes[0].status;
  EXPECT_EQ(changes[0].warning, "");
  EXPECT_EQ(changes[1].name, "backends.b");
  EXPECT_NE(credentials.listener(), before);
  EXPECT_NE(*backend->Get(), context);
  EXPECT_EQ(credentials.totals().reloaded, 2u);
}

TEST_F(CredentialsTest, ABrokenFileKeepsWhatWasThere) {
  ASSERT_TRUE(Adopt().ok());
  const auto before = credentials.listener();
  // A certificate without its key: half of a change.
  files.Write("server.pem", MakeIdentity({.issuer = &ca}).certificate_pem);
  const auto changes = credentials.Reload(absl::Now());
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_THAT(std::string(changes[0].status.message()),
              HasSubstr("does not belong to the certificate"));
  EXPECT_EQ(credentials.listener(), before);
  EXPECT_EQ(credentials.totals().failed, 1u);
}

TEST_F(CredentialsTest, WarnsOfAnExpiredCertificate) {
  ASSERT_TRUE(Adopt().ok());
  Put("server",
      MakeIdentity(
          {.issuer = &ca, .starts = -absl::Hours(2), .ends = -absl::Hours(1)}));
  const auto changes = credentials.Reload(absl::Now());
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_TRUE(changes[0].status.ok());
  EXPECT_THAT(changes[0].warning, HasSubstr("expired on"));
}

TEST_F(CredentialsTest, AWorkerMayAskForABackendBeforeItIsAdopted) {
  const auto early = credentials.backend(config.backends().at("b").tls());
  EXPECT_TRUE(early->Get().ok());
  ASSERT_TRUE(Adopt().ok());
  EXPECT_EQ(credentials.backend(config.backends().at("b").tls()), early);
}

TEST_F(CredentialsTest, ABackendWhoseFilesAreGoneSaysSo) {
  v1::BackendTlsConfig gone;
  gone.set_ca("/nowhere");
  EXPECT_THAT(std::string(credentials.backend(gone)->Get().status().message()),
              HasSubstr("ca = \"/nowhere\" cannot be read"));
}

}  // namespace
}  // namespace bandit::tls
