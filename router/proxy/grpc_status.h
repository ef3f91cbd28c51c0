// SPDX-License-Identifier: Apache-2.0
// gRPC over HTTP/2: statuses, timeouts, and how an HTTP/2 failure reads as a
// status (gRPC's doc/PROTOCOL-HTTP2.md).
#ifndef BANDIT_ROUTER_PROXY_GRPC_STATUS_H_
#define BANDIT_ROUTER_PROXY_GRPC_STATUS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bandit::proxy {

enum class GrpcStatus : int {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kResourceExhausted = 8,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
};

// The status that a stream reset with this HTTP/2 error code stands for.
GrpcStatus StatusOfReset(uint32_t http2_error_code);

// The HTTP status for a response that is not gRPC.
int HttpStatusOf(GrpcStatus status);

// Percent-encodes what a `grpc-message` may not hold.
std::string EncodeGrpcMessage(std::string_view message);

// Reads a `grpc-timeout` value ("250m" is 250 ms) as nanoseconds, cut off at
// about 292 years; nullopt if malformed.
std::optional<int64_t> ParseGrpcTimeout(std::string_view value);

// The shortest `grpc-timeout` of at least `ns`, as exact as its eight digits
// let it be, at least 1 ns.
std::string FormatGrpcTimeout(int64_t ns);

// Reads a `grpc-status` value in [0, 16]; 2 (UNKNOWN) for anything else.
int ParseGrpcStatus(std::string_view value);

// Whether a content-type is application/grpc, with or without a suffix.
bool IsGrpc(std::string_view content_type);

// Whether `:status` is a 1xx: not the response yet.
inline bool IsInterim(std::string_view status) {
  return status.size() == 3 && status[0] == '1';
}

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_GRPC_STATUS_H_
