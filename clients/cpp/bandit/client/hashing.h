// SPDX-License-Identifier: Apache-2.0
// The router's hashes, so that a client can compute who is where.
//
// Frozen, see docs/hashing.md: the same in every process and every language.
#ifndef BANDIT_CLIENT_HASHING_H_
#define BANDIT_CLIENT_HASHING_H_

#include <cstdint>
#include <string_view>

namespace bandit::client {

// Keeps draws for different ends independent.
enum class Purpose : uint8_t { kArm = 1, kRamp = 2, kLayer = 3, kHoldout = 4 };

// `salt` is the experiment's (by default its name) or the layer's, `unit` the
// value of the unit's metadata key as it is sent.
uint64_t HashUnit(Purpose purpose, std::string_view salt,
                  std::string_view unit);

// The unit's place in [0, 1), which ramps, layers and holdouts take shares of.
double PlaceOf(Purpose purpose, std::string_view salt, std::string_view unit);

// What tokens carry instead of the experiment's name.
uint32_t ExperimentId(std::string_view name);

}  // namespace bandit::client

#endif  // BANDIT_CLIENT_HASHING_H_
