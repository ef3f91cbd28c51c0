// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/proxy/message.h"

namespace bandit::bench {
namespace {

constexpr std::string_view kModelName =
    "\x0a\x05"
    "bench";                         // Field 1.
constexpr char kRawInputTag = 0x3a;  // Field 7.

// As a varint of exactly four bytes, so that the sizes are easy to add up.
std::string FourByteVarint(size_t value) {
  std::string out;
  for (int i = 0; i < 4; ++i) {
    out.push_back(static_cast<char>((value & 0x7f) | (i < 3 ? 0x80 : 0)));
    value >>= 7;
  }
  return out;
}

}  // namespace

std::string FramedMessage(size_t bytes) {
  std::string frame(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) {
    frame.push_back(static_cast<char>(bytes >> shift));
  }
  const size_t head = kModelName.size() + 1 + 4;
  if (bytes >= 16) {
    frame.append(kModelName);
    frame.push_back(kRawInputTag);
    frame.append(FourByteVarint(bytes - head));
  }
  frame.resize(kPrefix + bytes);
  return frame;
}

nghttp2_nv Field(std::string_view name, std::string_view value) {
  // nghttp2 copies both and declares them non-const for C's sake.
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())),
          name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace bandit::bench
