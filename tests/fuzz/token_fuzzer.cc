// SPDX-License-Identifier: Apache-2.0
// Verify takes nothing but what Sign gives. The input is tried as a token, and
// as the bytes under a genuine tag, for a fuzzer finds no tags.
#include <sodium.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "router/experiment/token.h"
#include "tests/fuzz/check.h"

namespace {

using bandit::experiment::TokenSigner;

constexpr std::string_view kSecret = "fuzz";
constexpr std::string_view kContext = "bandit-router decision token v1";

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// By docs/token.md and libsodium's base64, not by the router's code.
std::string Sealed(const uint8_t* data, size_t size) {
  unsigned char key[16], tag[16];
  crypto_generichash(key, sizeof(key), Bytes(kSecret), kSecret.size(),
                     Bytes(kContext), kContext.size());
  crypto_shorthash_siphashx24(tag, data, size, key);
  std::string bytes(reinterpret_cast<const char*>(data), size);
  bytes.append(reinterpret_cast<const char*>(tag), sizeof(tag));
  constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::string token(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
  sodium_bin2base64(token.data(), token.size(), Bytes(bytes), bytes.size(),
                    kVariant);
  token.pop_back();  // Its NUL.
  return token;
}

void Try(const TokenSigner& signer, std::string_view token) {
  const auto decision = signer.Verify(token);
  if (!decision.ok()) return;
  std::string again;
  signer.Sign(*decision, &again);
  FUZZ_CHECK(again == token);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const TokenSigner& signer = *new TokenSigner(kSecret);
  Try(signer, {reinterpret_cast<const char*>(data), size});
  Try(signer, Sealed(data, size));
  return 0;
}
