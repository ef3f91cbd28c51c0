// SPDX-License-Identifier: Apache-2.0
#include "router/tls/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "tests/unit/tls/test_certificates.h"

namespace bandit::tls {
namespace {

using ::testing::HasSubstr;
using testing::MakeIdentity;
using testing::TemporaryFiles;

template <typename T>
std::string Message(const absl::StatusOr<T>& result) {
  return std::string(result.status().message());
}

class CertificateTest : public ::testing::Test {
 protected:
  const TemporaryFiles files{};
  const testing::Identity ca = MakeIdentity({.authority = true});
  const testing::Identity leaf =
      MakeIdentity({.names = {"DNS:a.test"}, .issuer = &ca});
};

TEST_F(CertificateTest, AChainIsReadInItsOrder) {
  const auto chain = LoadCertificates(
      files.Write("chain", leaf.certificate_pem + ca.certificate_pem));
  ASSERT_TRUE(chain.ok()) << chain.status();
  ASSERT_EQ(chain->list.size(), 2u);
  EXPECT_EQ(X509_cmp(chain->list[0].get(), leaf.certificate.get()), 0);
  EXPECT_EQ(X509_cmp(chain->list[1].get(), ca.certificate.get()), 0);
}

TEST_F(CertificateTest, AKeyFitsItsCertificateAlone) {
  const auto certificates =
      LoadCertificates(files.Write("leaf", leaf.certificate_pem));
  const auto own = LoadKey(files.Write("leaf.key", leaf.key_pem));
  const auto other = LoadKey(files.Write("ca.key", ca.key_pem));
  ASSERT_TRUE(certificates.ok() && own.ok() && other.ok());
  EXPECT_TRUE(Matches(*certificates, *own));
  EXPECT_FALSE(Matches(*certificates, *other));
}

TEST_F(CertificateTest, OneFileMayHoldBoth) {
  const std::string both =
      files.Write("both", leaf.key_pem + leaf.certificate_pem);
  EXPECT_TRUE(LoadCertificates(both).ok());
  EXPECT_TRUE(LoadKey(both).ok());
}

TEST_F(CertificateTest, SaysWhatIsWrongWithAFile) {
  EXPECT_THAT(Message(LoadCertificates(files.Path("none"))),
              HasSubstr("cannot be read (No such file or directory)"));
  EXPECT_THAT(Message(LoadKey(files.Path(""))),
              HasSubstr("cannot be read (Is a directory)"));
  EXPECT_THAT(Message(LoadCertificates(files.Write("empty", ""))),
              HasSubstr("holds no certificate, expected"));
  EXPECT_THAT(Message(LoadCertificates(files.Write("key", leaf.key_pem))),
              HasSubstr("holds no certificate, expected"));
  EXPECT_THAT(Message(LoadKey(files.Write("leaf", leaf.certificate_pem))),
              HasSubstr("holds no private key, expected"));
  std::string damaged = ca.certificate_pem + leaf.certificate_pem;
  damaged[ca.certificate_pem.size() + 40] ^= 1;
  EXPECT_THAT(Message(LoadCertificates(files.Write("damaged", damaged))),
              HasSubstr("has a damaged certificate, the 2."));
  EXPECT_THAT(Message(LoadCertificates(
                  files.Write("large", std::string(2 << 20, 'x')))),
              HasSubstr("is larger than 1 MiB"));
}

TEST_F(CertificateTest, APipeIsNotWaitedFor) {
  ASSERT_EQ(mkfifo(files.Path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(Message(LoadKey(files.Path("pipe"))),
              HasSubstr("is not a regular file"));
}

TEST_F(CertificateTest, NobodyIsAskedForAPassphrase) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  unsigned char passphrase[] = "secret";
  PEM_write_bio_PrivateKey(bio.get(), leaf.key.get(), EVP_aes_128_cbc(),
                           passphrase, 6, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  EXPECT_THAT(Message(LoadKey(files.Write(
                  "locked", std::string(data, static_cast<size_t>(size))))),
              HasSubstr("is encrypted"));
}

TEST_F(CertificateTest, TellsWhenACertificateIsNotValid) {
  const auto certificates =
      LoadCertificates(files.Write("leaf", leaf.certificate_pem));
  ASSERT_TRUE(certificates.ok());
  const absl::Time ends = ExpiryOf(*certificates);
  EXPECT_EQ(ends - StartOf(*certificates), absl::Hours(2));
  EXPECT_EQ(WhyNotValid(*certificates, ends), "");
  EXPECT_EQ(
      WhyNotValid(*certificates, ends + absl::Seconds(1)),
      "expired on " + absl::FormatTime("%Y-%m-%d", ends, absl::UTCTimeZone()));
  EXPECT_THAT(WhyNotValid(*certificates, ends - absl::Hours(3)),
              HasSubstr("is valid from"));
}

}  // namespace
}  // namespace bandit::tls
