// SPDX-License-Identifier: Apache-2.0
// Bytes as lower-case hexadecimal.
#ifndef BANDIT_ROUTER_OBSERVE_HEX_H_
#define BANDIT_ROUTER_OBSERVE_HEX_H_

#include <cstddef>
#include <cstdint>

namespace bandit::observe {

inline constexpr char kHexDigits[] = "0123456789abcdef";

// Writes 2 * size digits; returns where they end.
inline char* WriteHex(const uint8_t* bytes, size_t size, char* out) {
  for (size_t i = 0; i < size; ++i) {
    *out++ = kHexDigits[bytes[i] >> 4];
    *out++ = kHexDigits[bytes[i] & 15];
  }
  return out;
}

// -1: no lower-case digit.
inline int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Reads 2 * size digits. False: some are none.
inline bool ReadHex(const char* text, size_t size, uint8_t* bytes) {
  for (size_t i = 0; i < size; ++i) {
    const int high = HexValue(text[2 * i]);
    const int low = HexValue(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

}  // namespace bandit::observe

#endif  // BANDIT_ROUTER_OBSERVE_HEX_H_
