// SPDX-License-Identifier: Apache-2.0
// The draw: from an experiment, its model and a request to a decision.
#ifndef BANDIT_ROUTER_EXPERIMENT_ASSIGNMENT_H_
#define BANDIT_ROUTER_EXPERIMENT_ASSIGNMENT_H_

#include <array>
#include <cstdint>
#include <random>
#include <string_view>

#include "absl/types/span.h"
#include "policies/policy.h"
#include "router/experiment/caps.h"
#include "router/experiment/decision.h"
#include "router/experiment/plan.h"
#include "router/http2/header.h"

namespace bandit::experiment {

// Keeps draws for different purposes independent of each other. The values are
// part of the hash and frozen by golden vectors.
enum class Purpose : uint8_t { kArm = 1, kRamp = 2, kLayer = 3, kHoldout = 4 };

// 64-bit hash of length-prefixed fields: XXH3 over purpose, salt and unit. The
// bytes are in docs/hashing.md, so that clients can compute the same.
// Determinism: the arguments alone; the same in every process.
// Cost: no allocation while salt and unit are at most 240 bytes together.
uint64_t HashUnit(Purpose purpose, std::string_view salt,
                  std::string_view unit);

// -ln(u), u in (0, 1) by the unit's hash and the arm's name: an arm's score in
// the draw below, before it is divided by the arm's probability.
// Determinism: the arguments alone; the same in every process.
double ScoreOf(uint64_t unit_hash, std::string_view arm);

// Weighted rendezvous: per arm u = hash(unit_hash, arm name) in (0, 1), and the
// smallest -ln(u) / p wins (Efraimidis and Spirakis's exponential keys), so arm
// i wins with probability p[i] over units; p = 0 never wins. When p changes, a
// unit moves only from an arm that lost or to one that gained. So an arm that
// takes its share from the others in proportion moves no unit between those,
// and one that leaves moves only its own.
// REQUIRES: p has a positive entry, one for each arm.
// Determinism: the arguments, the arms' order not counting.
size_t DrawSticky(absl::Span<const Arm> arms, absl::Span<const double> p,
                  uint64_t unit_hash);

// Inverse-CDF draw; `uniform` in [0, 1). An arm with p = 0 is never drawn.
// REQUIRES: p has a positive entry.
size_t Draw(absl::Span<const double> p, double uniform);

struct Assignment {
  Decision decision;
  // Bit i: feature i was absent or absurd.
  uint64_t missing_features = 0;
  // The distribution that the arm was drawn from; one entry for each arm.
  std::array<double, policies::kMaxArms> p;
};

// Encodes the features, asks the model, applies the caps, draws the arm, fills
// the decision. The propensity is what the arm was drawn with.
// A request without the unit's metadata, or with an empty one, is its own unit.
// REQUIRES: `eligible` is not empty.
// Determinism: the inputs and the state of `random` fix the result; `random`
// advances by one for the id, and by one more for a request that is its own
// unit.
// Cost: no allocation while the feature vector has at most 16 columns.
void Assign(const Experiment& experiment, const policies::Model& model,
            const Eligible& eligible, http2::Headers headers, int64_t time_ms,
            std::mt19937_64& random, Assignment* assignment);

// Draws another arm of `eligible` in the place of the decision's, which failed:
// from the distribution as it was, rescaled to those that are left, or, where
// it gave them nothing, from the model's. The propensity is then the
// probability that the arm had of serving this request, given which arms could
// not: p_b / sum of p over `eligible` without the one that failed, within its
// caps. False: there
// is no other arm; nothing was changed.
// REQUIRES: `assignment` is Assign's.
// Determinism: as Assign; `random` advances by one for a request that is its
// own unit.
bool Reassign(const Experiment& experiment, const policies::Model& model,
              const Eligible& eligible, std::mt19937_64& random,
              Assignment* assignment);

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_ASSIGNMENT_H_
