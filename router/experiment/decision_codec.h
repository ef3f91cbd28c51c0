// SPDX-License-Identifier: Apache-2.0
// A decision as bytes: the middle of its token, and how it is kept in memory.
//
// The layout is docs/token.md's without version and tag, and frozen with it.
#ifndef BANDIT_ROUTER_EXPERIMENT_DECISION_CODEC_H_
#define BANDIT_ROUTER_EXPERIMENT_DECISION_CODEC_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "router/experiment/decision.h"

namespace bandit::experiment {

// What can be encoded.
inline constexpr int64_t kMaxTokenTimeMs = (int64_t{1} << 48) - 1;
inline constexpr size_t kMaxTokenFeatures = 1024;

inline constexpr size_t kMaxVarintSize = 5;
inline constexpr size_t kMaxDecisionSize =
    4 + kMaxVarintSize + 1 + 8 + 6 + 8 + 8 + (kMaxVarintSize + 4) +
    kMaxVarintSize + kMaxTokenFeatures / 4 + 4 * kMaxTokenFeatures;

// Writes at most kMaxDecisionSize bytes to `out`, and returns how many.
// REQUIRES: arm < 64, propensity in (0, 1], 0 <= time_ms <= kMaxTokenTimeMs,
// a finite covariate, at most kMaxTokenFeatures finite features.
size_t EncodeDecision(const Decision& decision, unsigned char* out);

// False if `bytes` are not exactly what EncodeDecision writes of some
// decision; `decision` is anything then.
bool DecodeDecision(absl::Span<const unsigned char> bytes, Decision* decision);

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_DECISION_CODEC_H_
