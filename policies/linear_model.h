// SPDX-License-Identifier: Apache-2.0
// Ridge regression of one arm's reward on the features, kept ready to score.
//
// A = lambda I + sum x x' and b = sum r x; the mean is theta' x, theta = A^-1
// b, and its uncertainty sqrt(x' A^-1 x). A^-1 is what a request reads, so it
// is kept in the form that reads fastest: packed, column by column.
#ifndef BANDIT_POLICIES_LINEAR_MODEL_H_
#define BANDIT_POLICIES_LINEAR_MODEL_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "policies/statistics.h"

namespace bandit::policies {

// A symmetric matrix as 4 x 4 tiles, lower triangle only: all tiles of columns
// 0 to 3 from the diagonal down, then of columns 4 to 7, and so on, each tile
// column by column. Tiles below the diagonal are doubled, for the upper
// triangle that is not there, and the last tiles are filled up with zeros. So
// x' M x is one pass over consecutive numbers, four at a time, with no sum that
// a compiler would have to reorder.
struct PackedInverse {
  static constexpr size_t kTile = 4;
  // Length of a vector that goes with a matrix of this dimension.
  static constexpr size_t Padded(size_t dimension) {
    return (dimension + kTile - 1) / kTile * kTile;
  }

  size_t dimension = 0;
  std::vector<double> entries;

  // Entry (i, j), not doubled.
  double at(size_t i, size_t j) const;
};

// (lambda I + gram)^-1, by Cholesky on the matrix scaled to a unit diagonal, so
// that features of very different sizes do no harm. `gram` as in ArmStatistics.
// Fails with InvalidArgument if `gram` is not positive semi-definite beyond
// rounding.   Cost: O(dimension^3).
absl::StatusOr<PackedInverse> InvertRidge(absl::Span<const double> gram,
                                          size_t dimension, double lambda);

// A += x x', for A^-1 in place, by Sherman and Morrison's formula.
// Returns false, with `inverse` unspecified, if too many digits cancelled.
// Cost: O(dimension^2).
bool AddRankOne(absl::Span<const float> x, PackedInverse* inverse);

// The vectors below have the padded length, zeros at the end.

// A^-1 v. `result` must not overlap `v`.   Cost: O(dimension^2), no allocation.
void Multiply(const PackedInverse& inverse, absl::Span<const double> v,
              absl::Span<double> result);

// x' A^-1 x, at least 0.
// Determinism: the same bits whatever vector unit runs it.
// Cost: O(dimension^2), no allocation.
double QuadraticForm(const PackedInverse& inverse, absl::Span<const double> x);

// An arm as requests see it.
struct LinearArm {
  std::vector<double> theta;
  std::shared_ptr<const PackedInverse> inverse;
};

// theta' x + width sqrt(x' A^-1 x) (Li et al. 2010, algorithm 1).
double LinUcbScore(const LinearArm& arm, absl::Span<const double> x,
                   double width);

}  // namespace bandit::policies

#endif  // BANDIT_POLICIES_LINEAR_MODEL_H_
