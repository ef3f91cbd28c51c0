// SPDX-License-Identifier: Apache-2.0
#include "examples/digits/camera.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "examples/digits/random.h"

namespace bandit::digits {

Images Photograph(const Images& scans, uint64_t seed) {
  constexpr double kNoise = 1;
  Random random(seed);
  Images photographs(scans.rows(), kPixels);
  for (Eigen::Index i = 0; i < scans.rows(); ++i) {
    const double angle = 2 * std::numbers::pi * random.Uniform();
    const double loss = 0.1 + 0.4 * random.Uniform();
    for (int pixel = 0; pixel < kPixels; ++pixel) {
      // Position along the light's direction: 0 where it is brightest, 1
      // where it is darkest.
      const int row = pixel / kSide;
      const int column = pixel % kSide;
      const double x = column / (kSide - 1.0) - 0.5;
      const double y = row / (kSide - 1.0) - 0.5;
      const double along =
          0.5 + (x * std::cos(angle) + y * std::sin(angle)) / std::sqrt(2.0);
      const double light = 1 - loss * along;
      const double value =
          (kMaxPixel - scans(i, pixel)) * light + kNoise * random.Normal();
      photographs(i, pixel) =
          static_cast<float>(std::clamp<double>(value, 0, kMaxPixel));
    }
  }
  return photographs;
}

}  // namespace bandit::digits
