// SPDX-License-Identifier: Apache-2.0
// What banditctl watch shows, as text: pure, so that it can be tested.
#ifndef BANDIT_CLIENTS_CLI_WATCH_TEXT_H_
#define BANDIT_CLIENTS_CLI_WATCH_TEXT_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "clients/cli/canvas.h"
#include "clients/cli/watch_history.h"

namespace bandit::cli {

// The whole screen, of any height, as the history stands; `address` is what is
// watched. No line is wider than the canvas.
std::vector<std::string> RenderScreen(const WatchHistory& history,
                                      const std::string& address,
                                      const Canvas& canvas);

// The part of `lines` that is `scroll` lines down and fits the canvas's height,
// the last line being one that says what keys do and how much there is more.
std::vector<std::string> Window(absl::Span<const std::string> lines,
                                size_t scroll, const Canvas& canvas);

// The last look in lines to append: one an experiment, and one an event of
// `events`; or one for a look that got no answer. Each ends with \n.
std::string RenderAppended(const WatchHistory& history,
                           absl::Span<const WatchEvent> events);

// The same as one line of JSON: {"time", "failure", "events": [{"time",
// "text", "bad"}], "status": RouterStatus}; no status without an answer.
std::string RenderJsonLine(const Look& look,
                           absl::Span<const WatchEvent> events);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_WATCH_TEXT_H_
