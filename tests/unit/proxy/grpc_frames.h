// SPDX-License-Identifier: Apache-2.0
// gRPC message framing for tests.
#ifndef BANDIT_TESTS_UNIT_PROXY_GRPC_FRAMES_H_
#define BANDIT_TESTS_UNIT_PROXY_GRPC_FRAMES_H_

#include <zlib.h>

#include <string>

namespace bandit::proxy {

inline std::string Frame(const std::string& message, bool compressed = false) {
  std::string framed(1, compressed ? '\1' : '\0');
  for (int shift = 24; shift >= 0; shift -= 8) {
    framed.push_back(static_cast<char>(message.size() >> shift));
  }
  return framed + message;
}

inline std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8,
               Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace bandit::proxy

#endif  // BANDIT_TESTS_UNIT_PROXY_GRPC_FRAMES_H_
