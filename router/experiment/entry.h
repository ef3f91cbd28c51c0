// SPDX-License-Identifier: Apache-2.0
// Whether a request is counted into the experiment that takes it.
//
// One that is not gets an arm all the same, the control arm unless the
// experiment is concluded, and no decision: it would bias what is learned.
#ifndef BANDIT_ROUTER_EXPERIMENT_ENTRY_H_
#define BANDIT_ROUTER_EXPERIMENT_ENTRY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "router/experiment/assignment.h"
#include "router/experiment/exposure.h"
#include "router/experiment/plan.h"
#include "router/http2/header.h"

namespace bandit::experiment {

// Why a request is not counted.
enum class Uncounted : uint8_t {
  kDraft,
  kPaused,
  kRolledBack,
  kConcluded,
  kHoldout,  // Its unit is in no experiment, or in none of the layer.
  kLayer,    // Its unit is for others of the layer, or for none.
  kRamp,     // The ramp has not let its unit in yet.
  kForced,   // It names its arm.
};
inline constexpr std::string_view kUncounted[] = {
    "draft",   "paused", "rolled_back", "concluded",
    "holdout", "layer",  "ramp",        "forced"};
inline constexpr size_t kUncountedReasons = std::size(kUncounted);
inline std::string_view Name(Uncounted why) {
  return kUncounted[static_cast<size_t>(why)];
}

// A unit's place in [0, 1), which shares are cut from; see docs/hashing.md.
// Determinism: the arguments alone.
double PlaceOf(Purpose purpose, std::string_view salt, std::string_view unit);

// A request's places in the plan's layers and holdouts, each taken once, so
// that a request without its unit has the same one wherever it is asked for.
// Thread-safety: none.
class Places {
 public:
  // In the layer: which experiment of it takes the request.
  double InLayer(const Plan& plan, size_t layer, http2::Headers headers,
                 std::mt19937_64& random);
  // Whether the layer, or the plan as a whole, holds the request out.
  bool HeldOut(const Plan& plan, std::optional<size_t> layer,
               http2::Headers headers, std::mt19937_64& random);
  // For another request.
  void Reset() { places_.clear(); }

 private:
  double Take(const Plan& plan, size_t slot, Purpose purpose,
              const Population& population, http2::Headers headers,
              std::mt19937_64& random);

  // -1: not taken yet. The global holdout, then two for each layer.
  absl::InlinedVector<double, 5> places_;
};

// Whether the request's unit is in the part of the layer that the experiment
// takes, or in that of none of them because it is held out. True without a
// layer.
bool TakesUnit(const Plan& plan, const Experiment& experiment,
               http2::Headers headers, Places& places, std::mt19937_64& random);

// Empty: the request is in the experiment.
// Determinism: the inputs and the state of `random`, which advances by one for
// each place that a request without its unit takes.
// Cost: no allocation; O(1) where nothing keeps requests out.
std::optional<Uncounted> WhyUncounted(const Plan& plan,
                                      const Experiment& experiment,
                                      const Exposure& exposure,
                                      http2::Headers headers, Places& places,
                                      std::mt19937_64& random);

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_ENTRY_H_
