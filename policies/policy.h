// SPDX-License-Identifier: Apache-2.0
// The policy interface: a policy is a function from context to a probability
// distribution over arms.
//
// It does not pick an arm. The router draws from the distribution, so the
// propensity that it logs is exact, a sticky unit is a draw with the unit's
// hash instead of a random number, and a shadow policy is one more call.
// A policy keeps no state: statistics -> prepared model -> probabilities.
#ifndef BANDIT_POLICIES_POLICY_H_
#define BANDIT_POLICIES_POLICY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "policies/statistics.h"

namespace bandit::policies {

// An experiment has at most this many arms; an arm set is a bit mask.
inline constexpr size_t kMaxArms = 64;
// A feature vector has at most this many columns, so that scoring needs a
// bounded stack and no heap.
inline constexpr size_t kMaxDimension = 1024;
using ArmSet = uint64_t;
constexpr ArmSet AllArms(size_t n) {
  return n >= kMaxArms ? ~ArmSet{0} : (ArmSet{1} << n) - 1;
}
constexpr bool Contains(ArmSet set, size_t arm) { return (set >> arm) & 1; }

enum class RewardKind { kBinary, kContinuous };

// What a policy is made from, beside its parameters.
struct Problem {
  size_t arms = 0;
  // fixed_split's shares; length `arms`, not negative, positive sum. Empty:
  // equal shares.
  std::vector<double> weights;
  RewardKind reward = RewardKind::kBinary;
  // Length of the feature vector; 0 without context.
  size_t dimension = 0;
  // Exploration floor f, in [0, 1/arms].
  double floor = 0;
};

// A new observation that the statistics given to Prepare already hold.
struct NewObservation {
  size_t arm = 0;
  Observation observation;
};

class Model;

struct PrepareInput {
  // One for each arm.
  absl::Span<const ArmStatistics> arms;
  // Optional hint for policies that can update faster than they can start
  // over: the model that the same policy prepared last, and all that was
  // observed since. The result must not depend on it beyond rounding.
  const Model* previous = nullptr;
  absl::Span<const NewObservation> fresh;
};

// A prepared, immutable model.
// Thread-safety: const calls may overlap.
class Model {
 public:
  virtual ~Model() = default;

  // Fills `p` (length: the problem's arms) with the distribution over the
  // `eligible` arms for the feature vector `x` (length: the problem's
  // dimension): ineligible arms exactly 0, every eligible arm at least the
  // floor, the sum 1 within 1e-12. No arm eligible: all 0.
  // Determinism: a pure function.  Cost: no allocation, no lock.
  void Probabilities(absl::Span<const float> x, ArmSet eligible,
                     absl::Span<double> p) const;

 protected:
  explicit Model(double floor) : floor_(floor) {}

 private:
  // Fills `w` with any non-negative weights; normalization and the floor are
  // added by Probabilities, which takes ineligible arms as 0 whatever stands
  // there, and gives the uniform distribution if no positive finite sum is
  // left. At least one arm is eligible.
  virtual void Weights(absl::Span<const float> x, ArmSet eligible,
                       absl::Span<double> w) const = 0;

  double floor_;
};

// Thread-safety: const calls may overlap.
class Policy {
 public:
  virtual ~Policy() = default;
  // Determinism: a pure function of the statistics.
  // Fails with InvalidArgument if a statistic that it reads is not finite.
  virtual absl::StatusOr<std::shared_ptr<const Model>> Prepare(
      const PrepareInput& input) const = 0;
};

struct Parameter {
  std::string_view name;
  double default_value;
  double min;
  double max;
  std::string_view meaning;
};

// Values by name, all of the table present and in range.
using Parameters = std::map<std::string, double, std::less<>>;

// A policy's registry entry: the one symbol that policies/<name>.cc exports.
struct PolicyInfo {
  std::string_view name;
  std::string_view summary;
  // Whether it reads the feature vector (and so needs one).
  bool contextual;
  absl::Span<const Parameter> parameters;
  std::unique_ptr<const Policy> (*make)(const Problem&, const Parameters&);
  // The exploration floor where none is asked for. Not 0 by default: an arm
  // that is never tried is never learned of.
  double default_floor = 0.01;
};

// All policies, in the order of policies/CMakeLists.txt.
absl::Span<const PolicyInfo* const> AllPolicies();

// nullptr if there is none of this name.
const PolicyInfo* FindPolicy(std::string_view name);

// Makes a policy. Fails with InvalidArgument naming the value, the limit and
// the parameter if `given` has an unknown name or a value out of range, the
// problem is malformed (no arms, floor * arms > 1), or a contextual policy has
// no features.
absl::StatusOr<std::unique_ptr<const Policy>> MakePolicy(
    std::string_view name, const Problem& problem,
    const std::map<std::string, double>& given);

// p_i = f + (1 - k f) w_i / sum(w) over the k eligible arms, 0 for the others.
// The uniform distribution if k f > 1 or sum(w) is not positive and finite;
// f < 0 counts as 0. In place.
void ApplyFloor(double floor, ArmSet eligible, absl::Span<double> w);

}  // namespace bandit::policies

#endif  // BANDIT_POLICIES_POLICY_H_
