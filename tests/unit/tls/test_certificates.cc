// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/tls/test_certificates.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <cassert>
#include <filesystem>
#include <fstream>

namespace bandit::testing {
namespace {

std::string Take(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

void AddExtension(X509* certificate, X509* issuer, int nid,
                  const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  assert(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

Identity MakeIdentity(const CertificateSpec& spec) {
  static long serial = 0;
  Identity made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.certificate.reset(X509_new());
  X509* const certificate = made.certificate.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate),
                  absl::ToInt64Seconds(spec.starts));
  X509_gmtime_adj(X509_getm_notAfter(certificate),
                  absl::ToInt64Seconds(spec.ends));
  X509_set_pubkey(certificate, made.key.get());
  const std::string name = "test " + std::to_string(serial);
  X509_NAME_add_entry_by_txt(
      X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
      reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509* const issuer =
      spec.issuer == nullptr ? certificate : spec.issuer->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  AddExtension(certificate, issuer, NID_basic_constraints,
               spec.authority ? "critical,CA:TRUE" : "CA:FALSE");
  std::string names;
  for (const std::string& one : spec.names) {
    names += (names.empty() ? "" : ",") + one;
  }
  if (!names.empty()) {
    AddExtension(certificate, issuer, NID_subject_alt_name, names);
  }
  X509_sign(certificate,
            spec.issuer == nullptr ? made.key.get() : spec.issuer->key.get(),
            EVP_sha256());
  const tls::Owned<BIO> pem(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(pem.get(), certificate);
  made.certificate_pem = Take(pem.get());
  const tls::Owned<BIO> key_pem(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(key_pem.get(), made.key.get(), nullptr, nullptr, 0,
                           nullptr, nullptr);
  made.key_pem = Take(key_pem.get());
  return made;
}

std::string TemporaryFiles::Write(const std::string& name,
                                  const std::string& text) const {
  std::ofstream(Path(name), std::ios::binary) << text;
  return Path(name);
}

}  // namespace bandit::testing
