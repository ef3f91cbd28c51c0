// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/grpc_status.h"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace bandit::proxy {

GrpcStatus StatusOfReset(uint32_t http2_error_code) {
  switch (http2_error_code) {
    case NGHTTP2_REFUSED_STREAM:
      return GrpcStatus::kUnavailable;
    case NGHTTP2_CANCEL:
      return GrpcStatus::kCancelled;
    case NGHTTP2_ENHANCE_YOUR_CALM:
      return GrpcStatus::kResourceExhausted;
    default:
      return GrpcStatus::kInternal;
  }
}

int HttpStatusOf(GrpcStatus status) {
  switch (status) {
    case GrpcStatus::kOk:
      return 200;
    case GrpcStatus::kCancelled:
      return 499;
    case GrpcStatus::kInvalidArgument:
      return 400;
    case GrpcStatus::kDeadlineExceeded:
      return 504;
    case GrpcStatus::kResourceExhausted:
      return 429;
    case GrpcStatus::kUnimplemented:
      return 404;
    case GrpcStatus::kUnavailable:
      return 503;
    case GrpcStatus::kUnknown:
    case GrpcStatus::kInternal:
      return 502;
  }
  return 500;
}

std::string EncodeGrpcMessage(std::string_view message) {
  std::string encoded;
  encoded.reserve(message.size());
  for (const char c : message) {
    if (c >= ' ' && c <= '~' && c != '%') {
      encoded.push_back(c);
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::optional<int64_t> ParseGrpcTimeout(std::string_view value) {
  // At most eight digits and a unit.
  if (value.size() < 2 || value.size() > 9) return std::nullopt;
  int64_t unit_ns = 0;
  switch (value.back()) {
    case 'H':
      unit_ns = 3'600'000'000'000;
      break;
    case 'M':
      unit_ns = 60'000'000'000;
      break;
    case 'S':
      unit_ns = 1'000'000'000;
      break;
    case 'm':
      unit_ns = 1'000'000;
      break;
    case 'u':
      unit_ns = 1'000;
      break;
    case 'n':
      unit_ns = 1;
      break;
    default:
      return std::nullopt;
  }
  // Unsigned: digits and no sign, not even that of -0.
  uint32_t amount = 0;
  const char* const digits_end = value.data() + value.size() - 1;
  const auto [end, error] = std::from_chars(value.data(), digits_end, amount);
  if (error != std::errc() || end != digits_end) return std::nullopt;
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  return amount > kMost / unit_ns ? kMost : amount * unit_ns;
}

std::string FormatGrpcTimeout(int64_t ns) {
  constexpr std::pair<char, int64_t> kUnits[] = {{'n', 1},
                                                 {'u', 1'000},
                                                 {'m', 1'000'000},
                                                 {'S', 1'000'000'000},
                                                 {'M', 60'000'000'000},
                                                 {'H', 3'600'000'000'000}};
  constexpr int64_t kMost = 99'999'999;
  ns = std::max<int64_t>(ns, 1);
  for (const auto& [unit, unit_ns] : kUnits) {
    const int64_t amount = ns / unit_ns + (ns % unit_ns != 0 ? 1 : 0);
    if (amount <= kMost) return fmt::format("{}{}", amount, unit);
  }
  return fmt::format("{}H", kMost);  // Not reached: int64_t is 292 years.
}

int ParseGrpcStatus(std::string_view value) {
  uint32_t status = 0;
  const auto [end, error] =
      std::from_chars(value.data(), value.data() + value.size(), status);
  const bool valid = error == std::errc() &&
                     end == value.data() + value.size() && status <= 16;
  return static_cast<int>(valid ? status
                                : static_cast<uint32_t>(GrpcStatus::kUnknown));
}

bool IsGrpc(std::string_view content_type) {
  constexpr std::string_view kGrpc = "application/grpc";
  if (content_type.substr(0, kGrpc.size()) != kGrpc) return false;
  const std::string_view rest = content_type.substr(kGrpc.size());
  return rest.empty() || rest[0] == '+' || rest[0] == ';';
}

}  // namespace bandit::proxy
