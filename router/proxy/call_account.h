// SPDX-License-Identifier: Apache-2.0
// What is measured of one call: how it ended, and when what happened.
#ifndef BANDIT_ROUTER_PROXY_CALL_ACCOUNT_H_
#define BANDIT_ROUTER_PROXY_CALL_ACCOUNT_H_

#include <cstdint>

#include "router/http2/header_block.h"
#include "router/learning/call_counts.h"

namespace bandit::proxy {

// Times are the loop's, in nanoseconds.
// Thread-safety: none.
class CallAccount {
 public:
  void Begin(int64_t now) { start_ns_ = now; }
  int64_t start_ns() const { return start_ns_; }

  // Time in which the call waited for its turn: not the router's work.
  void Waited(int64_t ns) { waited_ns_ += ns; }
  // The request's headers were given to a backend's socket. The first counts.
  void Forwarded(int64_t now) {
    if (forwarded_ns_ == 0) forwarded_ns_ = now;
  }
  void FirstByte(int64_t now) { first_byte_ns_ = now; }
  void RequestBytes(size_t size) { request_bytes_ += size; }
  uint64_t request_bytes() const { return request_bytes_; }
  void ResponseBytes(size_t size) { response_bytes_ += size; }
  // The response is here in whole.
  void ResponseEnd(int64_t now) { response_end_ns_ = now; }

  // The status that `block` (headers or trailers) says, if it does.
  void NoteCode(const http2::HeaderBlock& block);
  void NoteCode(int code) {
    code_ = code;
    code_known_ = true;
  }
  // Holds unless a code is noted.
  void AssumeCode(int code) {
    if (!code_known_) code_ = code;
  }
  // UNAVAILABLE or HTTP 502 to 504: what is said of a server that is not there.
  bool unavailable() const;

  learning::CallRecord Record(int64_t end_ns) const;

 private:
  int code_ = 0;
  bool code_known_ = false;
  int64_t start_ns_ = 0;
  int64_t waited_ns_ = 0;
  int64_t forwarded_ns_ = 0;
  int64_t first_byte_ns_ = 0;
  int64_t response_end_ns_ = 0;
  uint64_t request_bytes_ = 0;
  uint64_t response_bytes_ = 0;
};

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_CALL_ACCOUNT_H_
