// SPDX-License-Identifier: Apache-2.0
// Certificates and keys, read from PEM files.
//
// Every failure is InvalidArgument with a message that goes on after the
// file's name: "is no private key, expected ...". None holds what the file
// says.
#ifndef BANDIT_ROUTER_TLS_CERTIFICATE_H_
#define BANDIT_ROUTER_TLS_CERTIFICATE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "router/tls/openssl.h"

namespace bandit::tls {

// Certificates of one file, in its order.
struct Certificates {
  std::string pem;
  std::vector<Owned<X509>> list;  // Not empty.
};

struct Key {
  std::string pem;
  Owned<EVP_PKEY> key;
};

// Of at most 1 MiB and regular: a pipe would block.
absl::StatusOr<std::string> ReadFile(const std::string& path);

absl::StatusOr<Certificates> LoadCertificates(const std::string& path);
// The key must not be encrypted: nobody is there to be asked.
absl::StatusOr<Key> LoadKey(const std::string& path);

// Whether `key` is that of the first certificate.
bool Matches(const Certificates& certificates, const Key& key);

// Until when the first certificate is valid, and from when on.
absl::Time ExpiryOf(const Certificates& certificates);
absl::Time StartOf(const Certificates& certificates);

// "expired on 2026-01-31", "is valid from 2026-02-01 on"; empty at times when
// the first certificate is valid.
std::string WhyNotValid(const Certificates& certificates, absl::Time now);

}  // namespace bandit::tls

#endif  // BANDIT_ROUTER_TLS_CERTIFICATE_H_
