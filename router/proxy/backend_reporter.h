// SPDX-License-Identifier: Apache-2.0
// Tells the learning side what a worker's backends have counted.
#ifndef BANDIT_ROUTER_PROXY_BACKEND_REPORTER_H_
#define BANDIT_ROUTER_PROXY_BACKEND_REPORTER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "router/learning/backend_counts.h"
#include "router/upstream/backend.h"

namespace bandit::proxy {

// Thread-safety: none, one per worker.
class BackendReporter {
 public:
  // By backend, what has changed since the last call; nothing where nothing
  // has. What a backend that is in use no more had there is taken back.
  std::vector<std::pair<std::string, learning::BackendCounts>> Take(
      const std::vector<std::shared_ptr<upstream::Backend>>& in_use);

 private:
  struct Entry {
    std::string name;
    std::weak_ptr<upstream::Backend> backend;
    learning::BackendCounts told;
    bool in_use = false;
  };

  Entry& EntryOf(const std::shared_ptr<upstream::Backend>& backend);

  std::vector<Entry> entries_;
};

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_BACKEND_REPORTER_H_
