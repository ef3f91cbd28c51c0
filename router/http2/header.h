// SPDX-License-Identifier: Apache-2.0
// A view of one HTTP/2 header field, and look-ups over a list of them.
//
// The rooms that read requests (matching, units, features) need names and
// values only; how the bytes are owned is the session's affair.
#ifndef BANDIT_ROUTER_HTTP2_HEADER_H_
#define BANDIT_ROUTER_HTTP2_HEADER_H_

#include <string_view>

#include "absl/types/span.h"

namespace bandit::http2 {

// Ownership: borrows both strings.
struct Header {
  constexpr Header() = default;
  constexpr Header(std::string_view n, std::string_view v)
      : name(n), value(v) {}

  std::string_view name;  // Lower case, as HTTP/2 has it.
  std::string_view value;
};

using Headers = absl::Span<const Header>;

// The value of the first field named `name`; a view with data() == nullptr if
// there is none, and only then.
inline std::string_view Find(Headers headers, std::string_view name) {
  for (const Header& header : headers) {
    if (header.name != name) continue;
    return header.value.data() != nullptr ? header.value : "";
  }
  return {};
}

}  // namespace bandit::http2

#endif  // BANDIT_ROUTER_HTTP2_HEADER_H_
