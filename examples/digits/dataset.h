// SPDX-License-Identifier: Apache-2.0
// The UCI handwritten digits: 8x8 grey-scale scans and the digit each shows.
//
// Model servers train on one part and the demo's client sends the other, so
// what is measured is always accuracy on pictures that no model has seen.
#ifndef BANDIT_EXAMPLES_DIGITS_DATASET_H_
#define BANDIT_EXAMPLES_DIGITS_DATASET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "Eigen/Core"
#include "absl/status/statusor.h"

namespace bandit::digits {

inline constexpr int kSide = 8;
inline constexpr int kPixels = kSide * kSide;
inline constexpr int kClasses = 10;
inline constexpr float kMaxPixel = 16;

// One image a row, pixels row by row, 0 (paper) to 16 (ink).
using Images = Eigen::Matrix<float, Eigen::Dynamic, kPixels, Eigen::RowMajor>;

struct Samples {
  Images images;
  std::vector<int> labels;  // One an image, 0..9.

  int size() const { return static_cast<int>(labels.size()); }
};

struct Split {
  Samples train;
  Samples held_out;
};

// Reads a gzipped (or plain) CSV: 64 pixels 0..16 and the digit, a sample a
// line. Fails with NotFound if the file cannot be opened, InvalidArgument
// naming file, line and value if it is something else, DataLoss if the
// compressed data are damaged.
absl::StatusOr<Samples> LoadDigits(const std::string& path);

// Shuffles and deals two thirds to `train`, the rest to `held_out`.
// Determinism: the seed; the default is the one that servers and client share.
inline constexpr uint64_t kSplitSeed = 1998;
Split SplitDigits(const Samples& samples, uint64_t seed = kSplitSeed);

}  // namespace bandit::digits

#endif  // BANDIT_EXAMPLES_DIGITS_DATASET_H_
