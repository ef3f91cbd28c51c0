// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/token.h"

#include <sodium.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>

#include "policies/policy.h"
#include "router/experiment/base64url.h"

namespace bandit::experiment {
namespace {

constexpr unsigned char kVersion = 1;
// In the arm's byte: the request is its own unit, which is left out.
constexpr unsigned char kOwnUnit = 0x80;
constexpr size_t kTagSize = crypto_shorthash_siphashx24_BYTES;
constexpr size_t kMaxVarintSize = 5;
constexpr size_t kMaxBytes = 1 + 4 + kMaxVarintSize + 1 + 8 + 6 + 8 + 8 +
                             kMaxVarintSize + kMaxTokenFeatures / 4 +
                             4 * kMaxTokenFeatures + kTagSize;
static_assert(Base64UrlSize(kMaxBytes) <= kMaxTokenSize);

// Separates this key from others that may be derived from the same secret.
constexpr std::string_view kKeyContext = "bandit-router decision token v1";
static_assert(kKeyContext.size() >= crypto_generichash_KEYBYTES_MIN &&
              kKeyContext.size() <= crypto_generichash_KEYBYTES_MAX);

// Two bits a feature: most columns are an intercept or one-hot.
enum FeatureCode : uint32_t { kZero = 0, kOne = 1, kVerbatim = 2 };
constexpr uint32_t kOneBits = std::bit_cast<uint32_t>(1.0F);

FeatureCode CodeOf(uint32_t bits) {
  // Not `== 0.0F`: -0 must survive.
  return bits == 0 ? kZero : bits == kOneBits ? kOne : kVerbatim;
}

const unsigned char* Bytes(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

// Little endian.
class Writer {
 public:
  explicit Writer(unsigned char* out) : out_(out) {}

  template <size_t kSize>
  void Fixed(uint64_t value) {
    for (size_t i = 0; i < kSize; ++i) {
      out_[i] = static_cast<unsigned char>(value >> (8 * i));
    }
    out_ += kSize;
  }

  void Varint(uint32_t value) {
    for (; value >= 0x80; value >>= 7) {
      *out_++ = static_cast<unsigned char>(value | 0x80);
    }
    *out_++ = static_cast<unsigned char>(value);
  }

  void Features(absl::Span<const float> features) {
    unsigned char* codes = out_;
    out_ += (features.size() + 3) / 4;
    std::fill(codes, out_, 0);
    for (size_t i = 0; i < features.size(); ++i) {
      const auto bits = std::bit_cast<uint32_t>(features[i]);
      const FeatureCode code = CodeOf(bits);
      codes[i / 4] |= code << (2 * (i % 4));
      if (code == kVerbatim) Fixed<4>(bits);
    }
  }

  unsigned char* end() const { return out_; }

 private:
  unsigned char* out_;
};

// Reads what Writer writes. Every read past the end or of another spelling
// than Writer's turns ok() false for good; values are 0 from then on.
class Reader {
 public:
  explicit Reader(absl::Span<const unsigned char> in) : in_(in) {}

  template <size_t kSize>
  uint64_t Fixed() {
    if (in_.size() < kSize) return Fail();
    uint64_t value = 0;
    for (size_t i = 0; i < kSize; ++i) value |= uint64_t{in_[i]} << (8 * i);
    in_.remove_prefix(kSize);
    return value;
  }

  uint32_t Varint() {
    uint64_t value = 0;
    for (size_t i = 0; i < kMaxVarintSize; ++i) {
      const uint64_t byte = Fixed<1>();
      value |= (byte & 0x7f) << (7 * i);
      if (byte >= 0x80) continue;
      // A last byte of 0 adds nothing: a longer spelling than Writer's.
      if ((i > 0 && byte == 0) || value > UINT32_MAX) break;
      return static_cast<uint32_t>(value);
    }
    return Fail();
  }

  // All of the rest must be features.
  void Features(absl::InlinedVector<float, 16>* features) {
    const uint32_t count = Varint();
    const size_t code_bytes = (size_t{count} + 3) / 4;
    if (count > kMaxTokenFeatures || code_bytes > in_.size()) {
      Fail();
      return;
    }
    const auto codes = in_.first(code_bytes);
    in_.remove_prefix(code_bytes);
    features->resize(count);
    uint32_t code = 0;
    for (size_t i = 0; i < 4 * code_bytes; ++i) {
      code = codes[i / 4] >> (2 * (i % 4)) & 3;
      if (i >= count) {
        if (code != 0) Fail();
        continue;
      }
      auto bits = code == kOne ? kOneBits : uint32_t{0};
      if (code >= kVerbatim) bits = static_cast<uint32_t>(Fixed<4>());
      (*features)[i] = std::bit_cast<float>(bits);
      if (code != CodeOf(bits) || !std::isfinite((*features)[i])) Fail();
    }
    if (!in_.empty()) Fail();
  }

  bool ok() const { return ok_; }

 private:
  uint32_t Fail() {
    ok_ = false;
    in_ = {};
    return 0;
  }

  absl::Span<const unsigned char> in_;
  bool ok_ = true;
};

void Tag(const std::array<unsigned char, 16>& key,
         absl::Span<const unsigned char> bytes, unsigned char* tag) {
  crypto_shorthash_siphashx24(tag, bytes.data(), bytes.size(), key.data());
}

// What follows the version; false if Sign would not have written it so.
bool ReadDecision(Reader in, Decision* d) {
  d->experiment = static_cast<uint32_t>(in.Fixed<4>());
  d->epoch = in.Varint();
  const auto arm = static_cast<unsigned char>(in.Fixed<1>());
  const bool own_unit = (arm & kOwnUnit) != 0;
  d->arm = arm & ~kOwnUnit;
  d->propensity = std::bit_cast<double>(in.Fixed<8>());
  d->time_ms = static_cast<int64_t>(in.Fixed<6>());
  d->id = in.Fixed<8>();
  d->unit = own_unit ? d->id : in.Fixed<8>();
  in.Features(&d->features);
  return in.ok() && d->arm < policies::kMaxArms && d->propensity > 0 &&
         d->propensity <= 1 && own_unit == (d->unit == d->id);
}

}  // namespace

TokenSigner::TokenSigner(std::string_view secret) {
  assert(!secret.empty());
  crypto_generichash(key_.data(), key_.size(), Bytes(secret), secret.size(),
                     Bytes(kKeyContext), kKeyContext.size());
}

void TokenSigner::Sign(const Decision& d, std::string* token) const {
  assert(d.arm < policies::kMaxArms);
  assert(d.propensity > 0 && d.propensity <= 1);
  assert(d.time_ms >= 0 && d.time_ms <= kMaxTokenTimeMs);
  assert(d.features.size() <= kMaxTokenFeatures);
  std::array<unsigned char, kMaxBytes> bytes;
  Writer out(bytes.data());
  const bool own_unit = d.unit == d.id;
  out.Fixed<1>(kVersion);
  out.Fixed<4>(d.experiment);
  out.Varint(d.epoch);
  out.Fixed<1>(d.arm | (own_unit ? kOwnUnit : 0));
  out.Fixed<8>(std::bit_cast<uint64_t>(d.propensity));
  out.Fixed<6>(static_cast<uint64_t>(d.time_ms));
  out.Fixed<8>(d.id);
  if (!own_unit) out.Fixed<8>(d.unit);
  out.Varint(static_cast<uint32_t>(d.features.size()));
  out.Features(d.features);
  const size_t size = out.end() - bytes.data();
  Tag(key_, {bytes.data(), size}, out.end());
  token->resize(Base64UrlSize(size + kTagSize));
  Base64UrlEncode({bytes.data(), size + kTagSize}, token->data());
}

absl::StatusOr<Decision> TokenSigner::Verify(std::string_view token) const {
  std::array<unsigned char, kMaxTokenSize> bytes;
  if (token.size() > kMaxTokenSize || !Base64UrlDecode(token, bytes.data())) {
    return absl::InvalidArgumentError(
        "the decision token is not base64url without padding");
  }
  const size_t size = token.size() * 3 / 4;
  if (size <= kTagSize) {
    return absl::InvalidArgumentError("the decision token is too short");
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
        "the decision token was not signed with this router's key, or is "
        "damaged");
  }
  Decision decision;
  if (!ReadDecision(Reader(body.subspan(1)), &decision)) {
    return absl::InvalidArgumentError(
        "the decision token is signed but malformed");
  }
  return decision;
}

}  // namespace bandit::experiment
