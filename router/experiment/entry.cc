// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/entry.h"

#include "router/http2/header.h"

namespace bandit::experiment {
namespace {

// The upper 53 bits as a number in [0, 1).
double ToPlace(uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

// By chance for a request that is its own unit.
double PlaceIn(Purpose purpose, std::string_view salt, std::string_view unit,
               std::mt19937_64& random) {
  return unit.empty() ? ToPlace(random()) : PlaceOf(purpose, salt, unit);
}

std::optional<Uncounted> WhyNotRunning(State state) {
  switch (state) {
    case State::kRunning:
      return std::nullopt;
    case State::kDraft:
      return Uncounted::kDraft;
    case State::kPaused:
      return Uncounted::kPaused;
    case State::kRolledBack:
      return Uncounted::kRolledBack;
    case State::kConcluded:
      return Uncounted::kConcluded;
  }
  return std::nullopt;
}

}  // namespace

double PlaceOf(Purpose purpose, std::string_view salt, std::string_view unit) {
  return ToPlace(HashUnit(purpose, salt, unit));
}

double Places::Take(const Plan& plan, size_t slot, Purpose purpose,
                    const Population& population, http2::Headers headers,
                    std::mt19937_64& random) {
  if (places_.empty()) places_.resize(1 + 2 * plan.layers.size(), -1);
  double& place = places_[slot];
  if (place < 0) {
    std::string_view unit;
    if (!population.unit_key.empty()) {
      unit = http2::Find(headers, population.unit_key);
    }
    place = PlaceIn(purpose, population.salt, unit, random);
  }
  return place;
}

double Places::InLayer(const Plan& plan, size_t layer, http2::Headers headers,
                       std::mt19937_64& random) {
  return Take(plan, 1 + 2 * layer, Purpose::kLayer, plan.layers[layer], headers,
              random);
}

bool Places::HeldOut(const Plan& plan, std::optional<size_t> layer,
                     http2::Headers headers, std::mt19937_64& random) {
  if (plan.holdout.has_value() &&
      Take(plan, 0, Purpose::kHoldout, *plan.holdout, headers, random) <
          plan.holdout->holdout) {
    return true;
  }
  if (!layer.has_value()) return false;
  const Population& population = plan.layers[*layer];
  return population.holdout > 0 &&
         Take(plan, 2 + 2 * *layer, Purpose::kHoldout, population, headers,
              random) < population.holdout;
}

bool TakesUnit(const Plan& plan, const Experiment& experiment,
               http2::Headers headers, Places& places,
               std::mt19937_64& random) {
  if (!experiment.layer.has_value()) return true;
  const LayerShare& share = *experiment.layer;
  const double place = places.InLayer(plan, share.layer, headers, random);
  return share.from <= place && place < share.to;
}

std::optional<Uncounted> WhyUncounted(const Plan& plan,
                                      const Experiment& experiment,
                                      const Exposure& exposure,
                                      http2::Headers headers, Places& places,
                                      std::mt19937_64& random) {
  if (exposure.state != State::kRunning) return WhyNotRunning(exposure.state);
  if (plan.holdout.has_value() || experiment.layer.has_value()) {
    const auto layer = experiment.layer.has_value()
                           ? std::optional<size_t>(experiment.layer->layer)
                           : std::nullopt;
    if (places.HeldOut(plan, layer, headers, random)) {
      return Uncounted::kHoldout;
    }
    if (!TakesUnit(plan, experiment, headers, places, random)) {
      return Uncounted::kLayer;
    }
  }
  if (exposure.share < 1) {
    std::string_view unit;
    if (!experiment.unit_key.empty()) {
      unit = http2::Find(headers, experiment.unit_key);
    }
    if (PlaceIn(Purpose::kRamp, experiment.salt, unit, random) >=
        exposure.share) {
      return Uncounted::kRamp;
    }
  }
  return std::nullopt;
}

}  // namespace bandit::experiment
