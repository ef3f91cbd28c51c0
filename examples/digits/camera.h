// SPDX-License-Identifier: Apache-2.0
// What a camera makes of the digits: chalk on a badly lit blackboard.
//
// Part of the demo's requests come from this second device. Models trained on
// scans fail on its pictures and the other way round, so which model is best
// depends on the request, and a contextual policy has something to learn.
#ifndef BANDIT_EXAMPLES_DIGITS_CAMERA_H_
#define BANDIT_EXAMPLES_DIGITS_CAMERA_H_

#include <cstdint>

#include "examples/digits/dataset.h"

namespace bandit::digits {

// Photographs of the same digits: contrast inverted (chalk is light, the board
// dark), 10 to 50 % less light towards a random side, sensor noise with a
// standard deviation of 1; pixels stay in [0, 16].
// Determinism: the images and the seed.
Images Photograph(const Images& scans, uint64_t seed);

}  // namespace bandit::digits

#endif  // BANDIT_EXAMPLES_DIGITS_CAMERA_H_
