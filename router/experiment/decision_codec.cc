// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/decision_codec.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

#include "policies/policy.h"

namespace bandit::experiment {
namespace {

// In the arm's byte: the request is its own unit, which is left out.
constexpr unsigned char kOwnUnit = 0x80;
// There: segments and the covariate follow the unit.
constexpr unsigned char kNotes = 0x40;

// Two bits a feature: most columns are an intercept or one-hot.
enum FeatureCode : uint32_t { kZero = 0, kOne = 1, kVerbatim = 2 };
constexpr uint32_t kOneBits = std::bit_cast<uint32_t>(1.0F);

FeatureCode CodeOf(uint32_t bits) {
  // Not `== 0.0F`: -0 must survive.
  return bits == 0 ? kZero : bits == kOneBits ? kOne : kVerbatim;
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

}  // namespace

size_t EncodeDecision(const Decision& d, unsigned char* out) {
  assert(d.arm < policies::kMaxArms);
  assert(d.propensity > 0 && d.propensity <= 1);
  assert(d.time_ms >= 0 && d.time_ms <= kMaxTokenTimeMs);
  assert(d.features.size() <= kMaxTokenFeatures);
  Writer writer(out);
  const bool own_unit = d.unit == d.id;
  writer.Fixed<4>(d.experiment);
  writer.Varint(d.epoch);
  const auto covariate = std::bit_cast<uint32_t>(d.covariate);
  const bool notes = d.segments != 0 || covariate != 0;
  writer.Fixed<1>(d.arm | (own_unit ? kOwnUnit : 0) | (notes ? kNotes : 0));
  writer.Fixed<8>(std::bit_cast<uint64_t>(d.propensity));
  writer.Fixed<6>(static_cast<uint64_t>(d.time_ms));
  writer.Fixed<8>(d.id);
  if (!own_unit) writer.Fixed<8>(d.unit);
  if (notes) {
    writer.Varint(d.segments);
    writer.Fixed<4>(covariate);
  }
  writer.Varint(static_cast<uint32_t>(d.features.size()));
  writer.Features(d.features);
  return static_cast<size_t>(writer.end() - out);
}

bool DecodeDecision(absl::Span<const unsigned char> bytes, Decision* d) {
  Reader in(bytes);
  d->experiment = static_cast<uint32_t>(in.Fixed<4>());
  d->epoch = in.Varint();
  const auto arm = static_cast<unsigned char>(in.Fixed<1>());
  const bool own_unit = (arm & kOwnUnit) != 0;
  const bool notes = (arm & kNotes) != 0;
  d->arm = arm & ~(kOwnUnit | kNotes);
  d->propensity = std::bit_cast<double>(in.Fixed<8>());
  d->time_ms = static_cast<int64_t>(in.Fixed<6>());
  d->id = in.Fixed<8>();
  d->unit = own_unit ? d->id : in.Fixed<8>();
  d->segments = notes ? in.Varint() : 0;
  const auto covariate = notes ? static_cast<uint32_t>(in.Fixed<4>()) : 0;
  d->covariate = std::bit_cast<float>(covariate);
  in.Features(&d->features);
  return in.ok() && notes == (d->segments != 0 || covariate != 0) &&
         std::isfinite(d->covariate) && d->propensity > 0 &&
         d->propensity <= 1 && own_unit == (d->unit == d->id);
}

}  // namespace bandit::experiment
