// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/call_account.h"

#include <charconv>
#include <string_view>

#include "router/proxy/grpc_status.h"

namespace bandit::proxy {
namespace {

int ParseHttpStatus(std::string_view status) {
  int code = 0;
  std::from_chars(status.data(), status.data() + status.size(), code);
  return code;
}

}  // namespace

void CallAccount::NoteCode(const http2::HeaderBlock& block) {
  const std::string_view grpc_status = block.Find("grpc-status");
  if (grpc_status.data() != nullptr) {
    NoteCode(ParseGrpcStatus(grpc_status));
    return;
  }
  const std::string_view status = block.Find(":status");
  if (status.data() != nullptr && !IsGrpc(block.Find("content-type"))) {
    NoteCode(ParseHttpStatus(status));
  }
}

bool CallAccount::unavailable() const {
  return code_known_ && (code_ == static_cast<int>(GrpcStatus::kUnavailable) ||
                         (code_ >= 502 && code_ <= 504));
}

learning::CallRecord CallAccount::Record(int64_t end_ns) const {
  learning::CallRecord call;
  call.code = code_;
  call.latency_ns = end_ns - start_ns_;
  if (first_byte_ns_ > 0) call.ttfb_ns = first_byte_ns_ - start_ns_;
  call.overhead_ns =
      (forwarded_ns_ > 0 ? forwarded_ns_ - start_ns_ - waited_ns_ : 0) +
      (response_end_ns_ > 0 ? end_ns - response_end_ns_ : 0);
  call.response_bytes = response_bytes_;
  return call;
}

}  // namespace bandit::proxy
