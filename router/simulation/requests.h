// SPDX-License-Identifier: Apache-2.0
// The requests of a run: who sends them, when, with which features.
#ifndef BANDIT_ROUTER_SIMULATION_REQUESTS_H_
#define BANDIT_ROUTER_SIMULATION_REQUESTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "router/http2/header.h"
#include "router/simulation/random.h"
#include "router/simulation/world.h"

namespace bandit::simulation {

// A request's metadata, and the chance of all that happens to it.
struct Request {
  // What the router sees.
  std::vector<http2::Header> headers;
  // With the features that are there and not said; empty if all are said.
  std::vector<http2::Header> whole;
  // In [0, 1): which replica it goes to.
  double replica = 0;
  Random luck{0};
};

// Makes one run's requests, one after the other. The same run has the same
// requests and the same luck whatever the policy does, so policies differ by
// what they do alone.
// Thread-safety: none.   Determinism: world, seed and run.
class Requests {
 public:
  // Ownership: borrows `world`.
  Requests(const World& world, uint64_t seed, uint64_t run);

  // Valid until the next call.
  const Request& Next();

 private:
  struct Feature {
    std::string key;
    double missing = 0;
    // A category, with the sum of the shares up to it.
    struct Category {
      double until = 0;
      std::string name;
    };
    std::vector<Category> categories;
    // A number: as described, or (absent) by its column.
    bool by_column = true;
    double mean = 0, sd = 1;
    v1::WorldShape shape = v1::WORLD_SHAPE_NORMAL;
    v1::Transform transform = v1::TRANSFORM_UNSPECIFIED;
    double shift = 0, scale = 1;
    double low = 0, high = 0;
  };

  static Feature Compile(const v1::FeatureConfig& configured,
                         const v1::WorldFeature* described);
  static double DrawNumber(const Feature& feature, Random& random);
  // Returns the unit's number.
  uint64_t DrawUnit(Random& random);
  void AddFeatures(Random& of_unit, Random& of_request);

  uint64_t seed_;
  uint64_t run_;
  uint64_t next_ = 0;
  uint64_t units_ = 0;  // That came so far.
  uint64_t most_units_ = 0;
  double repeat_ = 0;
  std::string unit_key_;
  std::vector<Feature> features_;
  std::string unit_;
  std::vector<std::string> texts_;
  Request request_;
};

}  // namespace bandit::simulation

#endif  // BANDIT_ROUTER_SIMULATION_REQUESTS_H_
