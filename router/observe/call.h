// SPDX-License-Identifier: Apache-2.0
// What is told of a finished call, and the same in a slot of fixed size, in
// which it passes from the worker to the thread that writes it down.
#ifndef BANDIT_ROUTER_OBSERVE_CALL_H_
#define BANDIT_ROUTER_OBSERVE_CALL_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "router/observe/trace_context.h"

namespace bandit::observe {

struct CallFacts {
  int64_t end_unix_ns = 0;
  int64_t duration_ns = 0;
  int64_t ttfb_ns = -1;  // -1: there was no response.
  int code = 0;          // gRPC's, or from 100 on HTTP's: of whichever came.
  bool grpc = false;
  uint32_t retries = 0;
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  // Of the decision, where one was made.
  bool decided = false;
  double propensity = 0;
  uint64_t decision_id = 0;
  uint64_t unit = 0;
  // Its place in a trace; zeros where there is none.
  bool has_trace = false;
  bool has_parent = false;
  TraceParent trace;  // The span is the router's own if the call is `traced`.
  SpanId parent{};
  // What is wanted of it: a span, a line.
  bool traced = false;
  bool logged = false;

  bool has_http_code() const { return code >= 100; }
  bool failed() const {
    return grpc ? code != 0 : !has_http_code() || code >= 400;
  }
};

// Ownership: borrows the texts.
struct Call : CallFacts {
  std::string_view experiment;
  std::string_view arm;
  std::string_view backend;
  std::string_view endpoint;  // "10.0.0.7:8001"
  std::string_view peer;      // The client's address.
  std::string_view verb;      // HTTP's :method.
  std::string_view authority;
  std::string_view path;
};

// One call, texts and all. Texts of too many bytes are cut, the path first.
class Record {
 public:
  void Fill(const Call& call) {
    facts_ = call;
    size_t used = 0;
    const std::string_view texts[kTexts] = {
        call.experiment, call.arm,  call.backend,   call.endpoint,
        call.peer,       call.verb, call.authority, call.path};
    for (size_t i = 0; i < kTexts; ++i) {
      // No text takes the room of those that follow.
      const size_t most = i + 1 < kTexts ? kMostOfOne : kRoom;
      const size_t size = std::min({texts[i].size(), most, kRoom - used});
      if (size > 0) std::memcpy(text_.data() + used, texts[i].data(), size);
      used += size;
      ends_[i] = static_cast<uint16_t>(used);
    }
  }

  // Ownership: borrows the record.
  Call View() const {
    Call call;
    static_cast<CallFacts&>(call) = facts_;
    std::string_view* const texts[kTexts] = {
        &call.experiment, &call.arm,  &call.backend,   &call.endpoint,
        &call.peer,       &call.verb, &call.authority, &call.path};
    size_t begin = 0;
    for (size_t i = 0; i < kTexts; ++i) {
      *texts[i] = {text_.data() + begin, ends_[i] - begin};
      begin = ends_[i];
    }
    return call;
  }

 private:
  static constexpr size_t kTexts = 8;
  static constexpr size_t kRoom = 640;
  static constexpr size_t kMostOfOne = 128;  // As long as a name may be.

  CallFacts facts_;
  std::array<uint16_t, kTexts> ends_;
  std::array<char, kRoom> text_;
};

}  // namespace bandit::observe

#endif  // BANDIT_ROUTER_OBSERVE_CALL_H_
