// SPDX-License-Identifier: Apache-2.0
// HTTP/2 frames as bytes, for tests that are the peer.
#ifndef BANDIT_TESTS_UNIT_HTTP2_FRAMES_H_
#define BANDIT_TESTS_UNIT_HTTP2_FRAMES_H_

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace bandit::testing {

inline std::string Frame(uint8_t type, uint8_t flags, int32_t stream,
                         std::string_view payload = "") {
  const auto byte = [](size_t value) { return static_cast<char>(value); };
  std::string frame = {byte(payload.size() >> 16), byte(payload.size() >> 8),
                       byte(payload.size()), static_cast<char>(type),
                       static_cast<char>(flags)};
  for (int shift = 24; shift >= 0; shift -= 8) {
    frame += byte(static_cast<size_t>(stream) >> shift);
  }
  return frame.append(payload);
}

inline const std::string& Preface() {
  static const std::string preface(NGHTTP2_CLIENT_MAGIC,
                                   NGHTTP2_CLIENT_MAGIC_LEN);
  return preface;
}

inline std::string Settings(std::string_view payload = "") {
  return Frame(NGHTTP2_SETTINGS, 0, 0, payload);
}

inline std::string Ping(uint8_t flags = 0) {
  return Frame(NGHTTP2_PING, flags, 0, "12345678");
}

// A POST to `/`: four fields of HPACK's static table.
inline std::string HeadersFrame(int32_t stream,
                                uint8_t flags = NGHTTP2_FLAG_END_HEADERS) {
  return Frame(NGHTTP2_HEADERS, flags, stream,
               std::string_view("\x83\x86\x84\x41\x01x", 6));
}

inline std::string Data(int32_t stream, std::string_view payload,
                        uint8_t flags = 0) {
  return Frame(NGHTTP2_DATA, flags, stream, payload);
}

inline std::string Reset(int32_t stream) {
  return Frame(NGHTTP2_RST_STREAM, 0, stream, std::string_view("\0\0\0\x8", 4));
}

inline std::string Window(int32_t stream) {
  return Frame(NGHTTP2_WINDOW_UPDATE, 0, stream,
               std::string_view("\0\0\0\x1", 4));
}

// Depends on `parent`.
inline std::string Priority(int32_t stream, uint8_t parent) {
  return Frame(NGHTTP2_PRIORITY, 0, stream,
               std::string("\0\0\0", 3) + static_cast<char>(parent) + "\x10");
}

}  // namespace bandit::testing

#endif  // BANDIT_TESTS_UNIT_HTTP2_FRAMES_H_
