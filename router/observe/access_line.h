// SPDX-License-Identifier: Apache-2.0
// A call as one line of JSON. docs/operations.md describes the fields.
#ifndef BANDIT_ROUTER_OBSERVE_ACCESS_LINE_H_
#define BANDIT_ROUTER_OBSERVE_ACCESS_LINE_H_

#include <string>
#include <string_view>

#include "router/observe/call.h"

namespace bandit::observe {

// Appends `text` as a JSON string, quotes and all: always valid JSON and UTF-8.
// Bytes that are no UTF-8 become U+FFFD, one for each.
void AppendJsonString(std::string_view text, std::string* out);

// Appends the line, with its newline. Fields that say nothing are left out. A
// path ends before its query, which may hold secrets.
void AppendAccessLine(const Call& call, std::string* out);

}  // namespace bandit::observe

#endif  // BANDIT_ROUTER_OBSERVE_ACCESS_LINE_H_
