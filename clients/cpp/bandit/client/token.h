// SPDX-License-Identifier: Apache-2.0
// What a decision token says, read without the key.
//
// A token is opaque to those who only hand it back with a reward. Reading it is
// for logs and joins: which experiment, which arm, with what probability. It
// proves nothing: only the router can tell a genuine token from a forged one.
#ifndef BANDIT_CLIENT_TOKEN_H_
#define BANDIT_CLIENT_TOKEN_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace bandit::client {

// The fields of docs/token.md.
struct TokenFields {
  // ExperimentId() of the experiment's name.
  uint32_t experiment = 0;
  uint32_t epoch = 0;
  // Index of the arm in the config, 0 to 63.
  uint32_t arm = 0;
  // The probability that the arm had; in (0, 1].
  double propensity = 1;
  // When it was decided, to the millisecond.
  absl::Time time;
  // Random, the decision's own.
  uint64_t id = 0;
  // HashUnit(Purpose::kArm, salt, unit); `id` if `own_unit`.
  uint64_t unit = 0;
  // The request came without a unit and is its own.
  bool own_unit = false;
  // The notes of docs/token.md; 0 if the token has none.
  uint32_t segments = 0;
  float covariate = 0;
  // The feature vector that the policy saw; empty without features.
  std::vector<float> features;
};

// Fails with InvalidArgument if `token` is not one that a router of token
// version 1 writes; the message says what is wrong with it. The tag is not
// checked.
absl::StatusOr<TokenFields> ReadToken(std::string_view token);

}  // namespace bandit::client

#endif  // BANDIT_CLIENT_TOKEN_H_
