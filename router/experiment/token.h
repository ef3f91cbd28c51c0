// SPDX-License-Identifier: Apache-2.0
// The decision token: a decision, signed, as one URL-safe word.
//
// A decision travels in its token, so that the router keeps nothing per
// request and a reward can come back after a restart or at another replica.
// The byte layout is in docs/token.md and frozen by golden vectors.
#ifndef BANDIT_ROUTER_EXPERIMENT_TOKEN_H_
#define BANDIT_ROUTER_EXPERIMENT_TOKEN_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "router/experiment/decision.h"
#include "router/experiment/decision_codec.h"

namespace bandit::experiment {

// The longest token there is.
inline constexpr size_t kMaxTokenSize = 5904;

// Thread-safety: const calls may overlap.
class TokenSigner {
 public:
  // The MAC key is derived from `secret` (any length, not empty).
  explicit TokenSigner(std::string_view secret);

  // Replaces `token` with base64url(decision || 128-bit SipHash-2-4 tag).
  // REQUIRES: what EncodeDecision does.
  // Determinism: the key and the decision fix the token.
  // Cost: O(features), no allocation once `token` has the capacity.
  void Sign(const Decision& decision, std::string* token) const;

  // The decision that Sign made `token` of: a string that is not exactly what
  // Sign with this key gives for some decision is refused.
  // Fails with InvalidArgument if the token is malformed, of another version
  // or its tag is not that of this key. Constant time in the tag.
  absl::StatusOr<Decision> Verify(std::string_view token) const;

 private:
  std::array<unsigned char, 16> key_;
};

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_TOKEN_H_
