// SPDX-License-Identifier: Apache-2.0
#include "router/simulation/requests.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "fmt/format.h"

namespace bandit::simulation {
namespace {

// What seeds are for.
enum Purpose : uint64_t { kRequest = 1, kUnit = 2 };

// What the transform makes the column of, before shift and scale.
double Untransformed(v1::Transform transform, double value) {
  switch (transform) {
    case v1::TRANSFORM_LOG1P:
      return std::expm1(value);
    case v1::TRANSFORM_SQRT:
      return value > 0 ? value * value : 0;
    default:
      return value;
  }
}

}  // namespace

Requests::Feature Requests::Compile(const v1::FeatureConfig& configured,
                                    const v1::WorldFeature* described) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Feature feature{.key = configured.metadata()};
  if (described != nullptr) feature.missing = described->missing();
  double until = 0;
  for (const std::string& category : configured.categories()) {
    if (described == nullptr || described->shares().empty()) {
      until += 1.0 / configured.categories_size();
    } else if (const auto share = described->shares().find(category);
               share != described->shares().end()) {
      until += share->second;
    }
    feature.categories.push_back({.until = until, .name = category});
  }
  // Not a last sliver of rounding for none of them.
  if (std::abs(until - 1) < 1e-6) feature.categories.back().until = kInfinity;
  feature.transform = configured.transform();
  feature.shift = configured.shift();
  feature.scale = configured.scale();
  const bool positive = feature.transform != v1::TRANSFORM_UNSPECIFIED;
  feature.low = configured.has_min() ? configured.min() : -kInfinity;
  if (positive) feature.low = std::max(feature.low, 0.0);
  feature.high = configured.has_max() ? configured.max() : kInfinity;
  if (described != nullptr && described->has_mean()) {
    feature.by_column = false;
    feature.mean = described->mean();
    feature.sd = described->has_sd()   ? described->sd()
                 : feature.mean != 0.0 ? std::abs(feature.mean)
                                       : 1;
    feature.shape = described->shape();
  }
  return feature;
}

Requests::Requests(const World& world, uint64_t seed, uint64_t run)
    : seed_(seed), run_(run) {
  const v1::World& described = world.described();
  most_units_ = described.units().number();
  repeat_ = described.units().repeat();
  unit_key_ = world.experiment().unit_key;
  for (const v1::FeatureConfig& feature :
       world.experiment().config.context().features()) {
    const auto at = described.features().find(feature.name());
    features_.push_back(Compile(
        feature, at != described.features().end() ? &at->second : nullptr));
  }
  texts_.resize(features_.size());
}

uint64_t Requests::DrawUnit(Random& random) {
  const double again = random.Uniform();
  const double which = random.Uniform();
  if (units_ == 0 || (again >= repeat_ && units_ < most_units_)) {
    return units_++;
  }
  return static_cast<uint64_t>(which * static_cast<double>(units_));
}

double Requests::DrawNumber(const Feature& feature, Random& random) {
  double x = 0;
  if (feature.by_column) {
    x = Untransformed(feature.transform,
                      feature.shift + feature.scale * random.Normal());
  } else if (feature.shape == v1::WORLD_SHAPE_UNIFORM) {
    x = feature.mean + std::sqrt(3.0) * feature.sd * (2 * random.Uniform() - 1);
  } else if (feature.shape == v1::WORLD_SHAPE_LOGNORMAL) {
    const double ratio = feature.sd / feature.mean;
    const double variance = std::log1p(ratio * ratio);
    x = feature.mean *
        std::exp(std::sqrt(variance) * random.Normal() - variance / 2);
  } else {
    x = feature.mean + feature.sd * random.Normal();
  }
  return std::clamp(x, feature.low, feature.high);
}

void Requests::AddFeatures(Random& of_unit, Random& of_request) {
  bool all_said = true;
  for (size_t i = 0; i < features_.size(); ++i) {
    const Feature& feature = features_[i];
    texts_[i].clear();
    if (feature.categories.empty()) {
      fmt::format_to(std::back_inserter(texts_[i]), "{:.9g}",
                     DrawNumber(feature, of_unit));
    } else {
      const double u = of_unit.Uniform();
      const auto at = std::find_if(
          feature.categories.begin(), feature.categories.end(),
          [u](const Feature::Category& one) { return u < one.until; });
      // No category that is listed: none is said, and none has an effect.
      if (at == feature.categories.end()) continue;
      texts_[i] = at->name;
    }
    const http2::Header header(feature.key, texts_[i]);
    request_.whole.push_back(header);
    if (feature.missing > 0 && of_request.Uniform() < feature.missing) {
      all_said = false;
    } else {
      request_.headers.push_back(header);
    }
  }
  if (all_said) request_.whole.clear();
}

const Request& Requests::Next() {
  request_.headers.clear();
  request_.whole.clear();
  Random random(SeedOf({seed_, run_, kRequest, next_++}));
  request_.replica = random.Uniform();
  if (unit_key_.empty()) {
    AddFeatures(random, random);
  } else {
    const uint64_t unit = DrawUnit(random);
    unit_.clear();
    fmt::format_to(std::back_inserter(unit_), "u{}", unit);
    request_.headers.emplace_back(unit_key_, unit_);
    if (!features_.empty()) {
      Random of_unit(SeedOf({seed_, run_, kUnit, unit}));
      AddFeatures(of_unit, random);
    }
  }
  request_.luck = random;
  return request_;
}

}  // namespace bandit::simulation
