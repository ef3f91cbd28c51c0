// SPDX-License-Identifier: Apache-2.0
// Closes a connection so that the peer can read what was said last.
//
// The kernel answers bytes that nobody reads with a reset, and a reset takes
// away what the peer has not read yet: the GOAWAY that says why, the 505. So
// the sending side is ended first, and what still comes is dropped for a while.
#ifndef BANDIT_ROUTER_HTTP2_LINGERING_CLOSE_H_
#define BANDIT_ROUTER_HTTP2_LINGERING_CLOSE_H_

#include <memory>

#include "router/http2/loop.h"
#include "router/http2/transport.h"

namespace bandit::http2 {

// Closes `transport` when the peer has closed, after a second or 256 KiB at the
// latest.
void CloseLingering(Loop& loop, std::unique_ptr<Transport> transport);

}  // namespace bandit::http2

#endif  // BANDIT_ROUTER_HTTP2_LINGERING_CLOSE_H_
