// SPDX-License-Identifier: Apache-2.0
// What a client speaks that does not begin as HTTP/2 does.
#ifndef BANDIT_ROUTER_HTTP2_OPENING_H_
#define BANDIT_ROUTER_HTTP2_OPENING_H_

#include <string_view>

namespace bandit::http2 {

struct Opening {
  // For the log, with the mend.
  std::string_view what;
  // What the client understands of a refusal; empty: nothing.
  std::string_view answer;
};

// `bytes`: the first that a client sent. REQUIRES: they are not those of the
// HTTP/2 preface.
Opening ReadOpening(std::string_view bytes);

}  // namespace bandit::http2

#endif  // BANDIT_ROUTER_HTTP2_OPENING_H_
