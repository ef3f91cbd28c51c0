// SPDX-License-Identifier: Apache-2.0
// Certificates made for one test.
#ifndef BANDIT_TESTS_UNIT_TLS_TEST_CERTIFICATES_H_
#define BANDIT_TESTS_UNIT_TLS_TEST_CERTIFICATES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "router/tls/openssl.h"
#include "tests/unit/store/temporary_directory.h"

namespace bandit::testing {

// A certificate, its key, and both as PEM.
struct Identity {
  tls::Owned<X509> certificate;
  tls::Owned<EVP_PKEY> key;
  std::string certificate_pem;
  std::string key_pem;
};

struct CertificateSpec {
  std::vector<std::string> names;    // As OpenSSL has them: "DNS:a.test".
  const Identity* issuer = nullptr;  // Null: it signs itself.
  bool authority = false;
  absl::Duration starts = -absl::Hours(1);  // From now.
  absl::Duration ends = absl::Hours(1);
};
Identity MakeIdentity(const CertificateSpec& spec);

// Files in a directory of their own, gone with this object.
class TemporaryFiles {
 public:
  std::string Path(const std::string& name) const {
    return directory_.File(name);
  }
  // Written over what was there; its path.
  std::string Write(const std::string& name, const std::string& text) const;

 private:
  TemporaryDirectory directory_;
};

}  // namespace bandit::testing

#endif  // BANDIT_TESTS_UNIT_TLS_TEST_CERTIFICATES_H_
