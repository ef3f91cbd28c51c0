// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/base64url.h"

#include <array>
#include <cstdint>

namespace bandit::experiment {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
// Its top bit survives an OR with any digit.
constexpr uint8_t kInvalid = 0x80;

constexpr std::array<uint8_t, 256> kDigits = [] {
  std::array<uint8_t, 256> digits{};
  digits.fill(kInvalid);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<uint8_t>(i);
  }
  return digits;
}();

uint32_t Digit(char c) { return kDigits[static_cast<unsigned char>(c)]; }

}  // namespace

void Base64UrlEncode(absl::Span<const unsigned char> bytes, char* out) {
  size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const uint32_t bits = bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2];
    *out++ = kAlphabet[bits >> 18];
    *out++ = kAlphabet[bits >> 12 & 63];
    *out++ = kAlphabet[bits >> 6 & 63];
    *out++ = kAlphabet[bits & 63];
  }
  if (i + 1 == bytes.size()) {
    *out++ = kAlphabet[bytes[i] >> 2];
    *out++ = kAlphabet[bytes[i] << 4 & 63];
  } else if (i + 2 == bytes.size()) {
    const uint32_t bits = bytes[i] << 8 | bytes[i + 1];
    *out++ = kAlphabet[bits >> 10];
    *out++ = kAlphabet[bits >> 4 & 63];
    *out++ = kAlphabet[bits << 2 & 63];
  }
}

bool Base64UrlDecode(std::string_view text, unsigned char* out) {
  uint32_t seen = 0;
  size_t i = 0;
  for (; i + 4 <= text.size(); i += 4) {
    const uint32_t a = Digit(text[i]), b = Digit(text[i + 1]),
                   c = Digit(text[i + 2]), d = Digit(text[i + 3]);
    seen |= a | b | c | d;
    *out++ = static_cast<unsigned char>(a << 2 | b >> 4);
    *out++ = static_cast<unsigned char>(b << 4 | c >> 2);
    *out++ = static_cast<unsigned char>(c << 6 | d);
  }
  switch (text.size() - i) {
    case 0:
      break;
    case 2: {
      const uint32_t a = Digit(text[i]), b = Digit(text[i + 1]);
      seen |= a | b;
      if ((b & 15) != 0) return false;
      *out++ = static_cast<unsigned char>(a << 2 | b >> 4);
      break;
    }
    case 3: {
      const uint32_t a = Digit(text[i]), b = Digit(text[i + 1]),
                     c = Digit(text[i + 2]);
      seen |= a | b | c;
      if ((c & 3) != 0) return false;
      *out++ = static_cast<unsigned char>(a << 2 | b >> 4);
      *out++ = static_cast<unsigned char>(b << 4 | c >> 2);
      break;
    }
    default:
      return false;
  }
  return (seen & kInvalid) == 0;
}

}  // namespace bandit::experiment
