// SPDX-License-Identifier: Apache-2.0
// Who may call what of the control services.
#ifndef BANDIT_ROUTER_CONTROL_ACCESS_H_
#define BANDIT_ROUTER_CONTROL_ACCESS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace bandit::control {

// Rewards and health are open: a reward is authorized by the decision token in
// it. All else, Admin and reflection, is for operators.
//
// Thread-safety: immutable.   Cost: no allocation unless it refuses.
class Access {
 public:
  // Where a call came in.
  enum class Door { kControl, kListen };

  struct Options {
    // The bearer token that operators show; empty, and no identities: none is
    // asked for.
    std::string token;
    // Who else may call, by name and token.
    std::vector<std::pair<std::string, std::string>> identities;
    // `control` knows its callers by their certificates. Without a token there
    // is nothing to know them by at `listen`, which refuses them then.
    bool mutual_tls = false;
    // The subject alternative names that those certificates may have, as
    // tls::HasName takes them; empty: any.
    std::vector<std::string> client_names;
  };

  explicit Access(const Options& options);

  // What a call to `path` with this `authorization` is told; empty: it has
  // none. Fails with Unauthenticated or PermissionDenied, saying what is
  // missing. Takes the same time whatever the token.
  absl::Status Check(Door door, std::string_view path,
                     std::string_view authorization) const;

  // There are tokens at all, so that callers can be told apart.
  bool knows_callers() const { return asks_; }

  // The name of the identity whose token `authorization` has, `operator` for
  // the router's own; empty if it has none.
  std::string_view Identify(std::string_view authorization) const;

  // Whether a caller whose certificate has these names may call at all. Fails
  // with PermissionDenied.
  absl::Status CheckNames(const std::vector<std::string_view>& dns,
                          const std::vector<std::string_view>& uris) const;

 private:
  struct Identity {
    std::string name;
    std::string token_hash;
  };

  const bool asks_;
  const bool mutual_tls_;
  const std::vector<std::string> client_names_;
  std::vector<Identity> identities_;
};

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_ACCESS_H_
