// SPDX-License-Identifier: Apache-2.0
#include "router/observe/trace_context.h"

#include <algorithm>

#include "router/observe/hex.h"

namespace bandit::observe {
namespace {

// Where the parts begin: version, trace id, span id, flags.
constexpr size_t kTrace = 3;
constexpr size_t kSpan = 36;
constexpr size_t kFlags = 53;
constexpr uint8_t kNoVersion = 0xFF;

template <typename Id>
bool IsZero(const Id& id) {
  return std::all_of(id.begin(), id.end(), [](uint8_t b) { return b == 0; });
}

}  // namespace

std::optional<TraceParent> ParseTraceParent(std::string_view value) {
  if (value.size() < kTraceParentSize || value[kTrace - 1] != '-' ||
      value[kSpan - 1] != '-' || value[kFlags - 1] != '-') {
    return std::nullopt;
  }
  uint8_t version = 0;
  TraceParent parent;
  if (!ReadHex(value.data(), 1, &version) ||
      !ReadHex(value.data() + kTrace, parent.trace.size(),
               parent.trace.data()) ||
      !ReadHex(value.data() + kSpan, parent.span.size(), parent.span.data()) ||
      !ReadHex(value.data() + kFlags, 1, &parent.flags)) {
    return std::nullopt;
  }
  if (value.size() > kTraceParentSize &&
      (version == 0 || value[kTraceParentSize] != '-')) {
    return std::nullopt;
  }
  if (version == kNoVersion || IsZero(parent.trace) || IsZero(parent.span)) {
    return std::nullopt;
  }
  parent.flags &= TraceParent::kSampled | TraceParent::kRandom;
  return parent;
}

void FormatTraceParent(const TraceParent& parent, TraceParentText* text) {
  char* out = text->data();
  *out++ = '0';
  *out++ = '0';
  *out++ = '-';
  out = WriteHex(parent.trace.data(), parent.trace.size(), out);
  *out++ = '-';
  out = WriteHex(parent.span.data(), parent.span.size(), out);
  *out++ = '-';
  WriteHex(&parent.flags, 1, out);
}

}  // namespace bandit::observe
