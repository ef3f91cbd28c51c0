// SPDX-License-Identifier: Apache-2.0
// Seeded random numbers that are the same on every platform.
//
// The standard's distributions may differ between libraries; a demo that can
// be replayed, and tests that state exact ranges, need these few by hand.
#ifndef BANDIT_EXAMPLES_DIGITS_RANDOM_H_
#define BANDIT_EXAMPLES_DIGITS_RANDOM_H_

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>

namespace bandit::digits {

// Thread-safety: none.   Determinism: the seed and the order of calls.
class Random {
 public:
  explicit Random(uint64_t seed) : bits_(seed) {}

  // In [0, 1).
  double Uniform() { return static_cast<double>(bits_() >> 11) * 0x1p-53; }
  // In 0..n-1. REQUIRES: 0 < n < 2^32 (the bias is then below 2^-21).
  uint64_t Below(uint64_t n) {
    return static_cast<uint64_t>(Uniform() * static_cast<double>(n));
  }
  // Mean 1.
  double Exponential() { return -std::log1p(-Uniform()); }
  // Mean 0, variance 1 (Box and Muller, 1958).
  double Normal() {
    const double radius = std::sqrt(2 * Exponential());
    return radius * std::cos(2 * std::numbers::pi * Uniform());
  }

 private:
  std::mt19937_64 bits_;
};

}  // namespace bandit::digits

#endif  // BANDIT_EXAMPLES_DIGITS_RANDOM_H_
