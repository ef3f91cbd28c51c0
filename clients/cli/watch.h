// SPDX-License-Identifier: Apache-2.0
// banditctl watch: what the router is doing, again and again.
#ifndef BANDIT_CLIENTS_CLI_WATCH_H_
#define BANDIT_CLIENTS_CLI_WATCH_H_

#include <cstdint>
#include <string>

#include "clients/cli/result.h"
#include "clients/cli/router_call.h"

namespace bandit::cli {

struct WatchOptions {
  std::string experiment;  // Empty: all.
  double interval_seconds = 2;
  uint64_t count = 0;  // Looks; 0: until someone ends it.
  bool json = false;
};

// On a terminal a screen that is drawn anew, left as it was at the end; else,
// or as JSON, lines that are appended. Prints as it goes. Ends after `count`
// looks, at q, SIGINT, SIGTERM or SIGHUP; kOk then. Fails as CallRouter does if
// the first look does: from then on a router that does not answer is asked
// again until it does.
Result Watch(const RouterAddress& router, const WatchOptions& options);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_WATCH_H_
