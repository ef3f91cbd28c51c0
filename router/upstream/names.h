// SPDX-License-Identifier: Apache-2.0
// A backend's addresses as the config gives them, and what its names stand for
// at present.
#ifndef BANDIT_ROUTER_UPSTREAM_NAMES_H_
#define BANDIT_ROUTER_UPSTREAM_NAMES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "router/upstream/address.h"
#include "router/upstream/resolver.h"

namespace bandit::upstream {

// Names are looked up again from time to time. A lookup that fails keeps the
// last answer and is repeated after a second, two, four, ... at most the usual
// time. What has no name is taken as it is.
//
// Thread-safety: none.   Determinism: its calls and the resolver's answers.
class Names {
 public:
  // `on_answer` is called when a lookup has ended, with why it failed or OK;
  // not from within another call.
  Names(const std::vector<Address>& addresses, Resolver resolver,
        int64_t resolve_every_ns,
        std::function<void(const absl::Status&)> on_answer);
  ~Names() { *alive_ = false; }
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  // Where to connect to, each once, in the order of the config. Before its
  // first answer a name stands for itself: whoever connects to it looks it up.
  std::vector<Address> targets() const;

  // Starts the lookups that are due; when the next one is, or kNever.
  int64_t Tick(int64_t now_ns);
  // Lets lookups be due, at most one a second.
  void Hurry(int64_t now_ns);

  static constexpr int64_t kNever = INT64_MAX;

 private:
  struct Name {
    Address address;
    bool is_name = false;
    bool asked = false;  // A lookup is under way.
    int failures = 0;    // In a row.
    int64_t asked_ns = 0;
    int64_t due_ns = 0;
    std::vector<Address> answer;
  };

  void OnAnswer(size_t index, absl::StatusOr<std::vector<Address>> answer);

  std::vector<Name> names_;
  Resolver resolver_;
  int64_t resolve_every_ns_;
  std::function<void(const absl::Status&)> on_answer_;
  // Answers may come after this object has gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace bandit::upstream

#endif  // BANDIT_ROUTER_UPSTREAM_NAMES_H_
