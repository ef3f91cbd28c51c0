// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/token.h"

#include <sodium.h>

#include <array>
#include <cassert>
#include <cstring>

#include "router/experiment/base64url.h"

namespace bandit::experiment {
namespace {

constexpr unsigned char kVersion = 1;
constexpr size_t kTagSize = crypto_shorthash_siphashx24_BYTES;
constexpr size_t kMaxBytes = 1 + kMaxDecisionSize + kTagSize;
static_assert(Base64UrlSize(kMaxBytes) <= kMaxTokenSize);

// Separates this key from others that may be derived from the same secret.
constexpr std::string_view kKeyContext = "bandit-router decision token v1";
static_assert(kKeyContext.size() >= crypto_generichash_KEYBYTES_MIN &&
              kKeyContext.size() <= crypto_generichash_KEYBYTES_MAX);

const unsigned char* Bytes(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

void Tag(const std::array<unsigned char, 16>& key,
         absl::Span<const unsigned char> bytes, unsigned char* tag) {
  crypto_shorthash_siphashx24(tag, bytes.data(), bytes.size(), key.data());
}

}  // namespace

TokenSigner::TokenSigner(std::string_view secret) {
  assert(!secret.empty());
  crypto_generichash(key_.data(), key_.size(), Bytes(secret), secret.size(),
                     Bytes(kKeyContext), kKeyContext.size());
}

void TokenSigner::Sign(const Decision& d, std::string* token) const {
  std::array<unsigned char, kMaxBytes> bytes;
  bytes[0] = kVersion;
  const size_t size = 1 + EncodeDecision(d, bytes.data() + 1);
  Tag(key_, {bytes.data(), size}, bytes.data() + size);
  token->resize(Base64UrlSize(size + kTagSize));
  Base64UrlEncode({bytes.data(), size + kTagSize}, token->data());
}

absl::StatusOr<Decision> TokenSigner::Verify(std::string_view token) const {
  std::array<unsigned char, kMaxTokenSize> bytes;
  if (token.size() > kMaxTokenSize || !Base64UrlDecode(token, bytes.data())) {
    return absl::InvalidArgumentError(
        "the decision token is not base64url without padding: it must come "
        "back as the response had it");
  }
  const size_t size = token.size() * 3 / 4;
  if (size <= kTagSize) {
    return absl::InvalidArgumentError(
        "the decision token is too short: it must come back whole");
  }
  if (bytes[0] != kVersion) {
    return absl::InvalidArgumentError(
        "the decision token has another version than 1");
  }
  const absl::Span<const unsigned char> body(bytes.data(), size - kTagSize);
  std::array<unsigned char, kTagSize> tag;
  Tag(key_, body, tag.data());
  if (sodium_memcmp(tag.data(), bytes.data() + body.size(), kTagSize) != 0) {
    return absl::InvalidArgumentError(
        "the decision token was not signed with this router's token_key, or "
        "is damaged");
  }
  Decision decision;
  if (!DecodeDecision(body.subspan(1), &decision)) {
    return absl::InvalidArgumentError(
        "the decision token is signed but malformed");
  }
  return decision;
}

}  // namespace bandit::experiment
