// SPDX-License-Identifier: Apache-2.0
// Chance that a seed fixes: splitmix64 (Steele, Lea and Flood 2014), and what
// is drawn from it. The standard library's distributions differ between
// machines.
#ifndef BANDIT_ROUTER_SIMULATION_RANDOM_H_
#define BANDIT_ROUTER_SIMULATION_RANDOM_H_

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <numbers>

namespace bandit::simulation {

constexpr uint64_t Scramble(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// A seed of its own for whatever the numbers name together.
constexpr uint64_t SeedOf(std::initializer_list<uint64_t> numbers) {
  uint64_t seed = 0;
  for (const uint64_t number : numbers) {
    seed = Scramble(seed + 0x9E3779B97F4A7C15u + number);
  }
  return seed;
}

// Thread-safety: none.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() { return Scramble(state_ += 0x9E3779B97F4A7C15u); }
  // In [0, 1).
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  // Standard normal (Box and Muller 1958). Advances by two.
  double Normal() {
    const double radius = std::sqrt(-2 * std::log1p(-Uniform()));
    return radius * std::cos(2 * std::numbers::pi * Uniform());
  }

 private:
  uint64_t state_;
};

}  // namespace bandit::simulation

#endif  // BANDIT_ROUTER_SIMULATION_RANDOM_H_
