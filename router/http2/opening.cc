// SPDX-License-Identifier: Apache-2.0
#include "router/http2/opening.h"

#include <algorithm>

namespace bandit::http2 {
namespace {

constexpr char kHandshake = 0x16;

constexpr std::string_view kHttp1Answer =
    "HTTP/1.1 505 HTTP Version Not Supported\r\n"
    "content-type: text/plain; charset=utf-8\r\n"
    "content-length: 60\r\n"
    "connection: close\r\n"
    "\r\n"
    "This port speaks HTTP/2 with prior knowledge, as gRPC does.\n";

// A request line: `GET / HTTP/1.1`.
bool IsHttp1(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, bytes.find('\n'));
  const size_t method = line.find(' ');
  if (method == 0 || line.find(" HTTP/1.", method) == line.npos) return false;
  return std::all_of(line.begin(), line.begin() + method,
                     [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace

Opening ReadOpening(std::string_view bytes) {
  if (!bytes.empty() && bytes[0] == kHandshake) {
    return {
        "the client speaks TLS to a port in cleartext; set `tls`, or let "
        "the client speak HTTP/2 with prior knowledge",
        ""};
  }
  if (IsHttp1(bytes)) {
    return {
        "the client speaks HTTP/1; the port takes HTTP/2 with prior "
        "knowledge only",
        kHttp1Answer};
  }
  return {"the client does not speak HTTP/2", ""};
}

}  // namespace bandit::http2
