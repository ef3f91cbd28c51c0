// SPDX-License-Identifier: Apache-2.0
// Owning pointers to OpenSSL's objects, and its errors in words.
#ifndef BANDIT_ROUTER_TLS_OPENSSL_H_
#define BANDIT_ROUTER_TLS_OPENSSL_H_

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace bandit::tls {

struct OpensslFree {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
template <typename T>
using Owned = std::unique_ptr<T, OpensslFree>;

// What OpenSSL says of an error code: "no shared cipher".
std::string ErrorText(unsigned long error);

// The newest error of this thread, in words; empties its queue.
std::string TakeError();

}  // namespace bandit::tls

#endif  // BANDIT_ROUTER_TLS_OPENSSL_H_
