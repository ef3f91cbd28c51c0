// SPDX-License-Identifier: Apache-2.0
#include "router/tls/openssl.h"

#include <openssl/err.h>

#include <cstring>

namespace bandit::tls {

std::string ErrorText(unsigned long error) {
  if (ERR_SYSTEM_ERROR(error)) {
    return std::strerror(static_cast<int>(ERR_GET_REASON(error)));
  }
  const char* reason = ERR_reason_error_string(error);
  return reason == nullptr ? "unknown TLS error" : reason;
}

std::string TakeError() {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  return ErrorText(error);
}

}  // namespace bandit::tls
