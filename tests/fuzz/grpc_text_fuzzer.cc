// SPDX-License-Identifier: Apache-2.0
// The texts of gRPC's headers: timeouts, statuses, percent-encoded messages and
// content types. The input is tried as each.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "router/proxy/grpc_status.h"
#include "tests/fuzz/check.h"

namespace {

using bandit::proxy::EncodeGrpcMessage;
using bandit::proxy::IsGrpc;
using bandit::proxy::ParseGrpcStatus;
using bandit::proxy::ParseGrpcTimeout;

int Hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// By gRPC's own words: printable ASCII but %, else %XX.
std::string Decoded(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    FUZZ_CHECK(text[i] >= 0x20 && text[i] <= 0x7e);
    if (text[i] != '%') {
      bytes += text[i];
      continue;
    }
    FUZZ_CHECK(i + 2 < text.size());
    FUZZ_CHECK(Hex(text[i + 1]) >= 0 && Hex(text[i + 2]) >= 0);
    bytes += static_cast<char>(Hex(text[i + 1]) * 16 + Hex(text[i + 2]));
    i += 2;
  }
  return bytes;
}

// 1 to 8 digits and a unit, in nanoseconds as a long double; negative: none.
long double Timeout(std::string_view text) {
  constexpr std::string_view kUnits = "HMSmun";
  constexpr long double kNs[] = {3.6e12L, 6e10L, 1e9L, 1e6L, 1e3L, 1};
  if (text.size() < 2 || text.size() > 9) return -1;
  const size_t unit = kUnits.find(text.back());
  if (unit == kUnits.npos) return -1;
  long double value = 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value * kNs[unit];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  FUZZ_CHECK(Decoded(EncodeGrpcMessage(text)) == text);

  const auto timeout = ParseGrpcTimeout(text);
  const long double expected = Timeout(text);
  FUZZ_CHECK(timeout.has_value() == (expected >= 0));
  if (timeout.has_value()) {
    constexpr auto kMost =
        static_cast<long double>(std::numeric_limits<int64_t>::max());
    FUZZ_CHECK(*timeout >= 0);
    FUZZ_CHECK(static_cast<long double>(*timeout) ==
               (expected < kMost ? expected : kMost));
  }

  const int status = ParseGrpcStatus(text);
  FUZZ_CHECK(status >= 0 && status <= 16);
  if (status != 2) {
    const size_t digits = std::min(text.find_first_not_of('0'), size - 1);
    FUZZ_CHECK(text.substr(digits) == std::to_string(status));
  }

  if (IsGrpc(text)) FUZZ_CHECK(text.starts_with("application/grpc"));
  return 0;
}
