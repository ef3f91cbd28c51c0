// SPDX-License-Identifier: Apache-2.0
// W3C Trace Context: where in a distributed trace a request stands.
// https://www.w3.org/TR/trace-context/
#ifndef BANDIT_ROUTER_OBSERVE_TRACE_CONTEXT_H_
#define BANDIT_ROUTER_OBSERVE_TRACE_CONTEXT_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace bandit::observe {

using TraceId = std::array<uint8_t, 16>;
using SpanId = std::array<uint8_t, 8>;

struct TraceParent {
  // Flags of the version that this code knows; others are not passed on.
  static constexpr uint8_t kSampled = 1;
  static constexpr uint8_t kRandom = 2;

  TraceId trace{};
  SpanId span{};
  uint8_t flags = 0;

  bool sampled() const { return (flags & kSampled) != 0; }
  friend bool operator==(const TraceParent&, const TraceParent&) = default;
};

// The value of a `traceparent` field: "00-<trace id>-<span id>-<flags>" in
// lower-case hexadecimal. A later version may have more behind a further dash,
// which is not read. None if it is malformed or an id is all zeros.
std::optional<TraceParent> ParseTraceParent(std::string_view value);

inline constexpr size_t kTraceParentSize = 55;
using TraceParentText = std::array<char, kTraceParentSize>;

// Writes it as version 00.
void FormatTraceParent(const TraceParent& parent, TraceParentText* text);

}  // namespace bandit::observe

#endif  // BANDIT_ROUTER_OBSERVE_TRACE_CONTEXT_H_
