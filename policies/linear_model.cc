// SPDX-License-Identifier: Apache-2.0
#include "policies/linear_model.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

#include "policies/policy.h"

// A second copy for processors with AVX2, chosen when the program is loaded.
// Not FMA: it rounds differently, and replicas on different machines must
// agree. The chooser runs before a sanitizer is ready, so not under one.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(BANDIT_TSAN)
#define BANDIT_AVX2_CLONE __attribute__((target_clones("default", "avx2")))
#else
#define BANDIT_AVX2_CLONE
#endif

namespace bandit::policies {
namespace {

// Relative to a unit diagonal; above the rounding of a Gram matrix, below what
// would be seen in a score.
constexpr double kJitter = 1e-10;

// An update that takes away all but this of a variance has left half of its
// digits at best.
constexpr double kMostCancelled = 1e-8;

constexpr size_t kTile = PackedInverse::kTile;
constexpr size_t kTileSize = kTile * kTile;
// Four doubles that are added and multiplied side by side, in whatever
// registers the processor has.
using Lanes = double __attribute__((vector_size(kTile * sizeof(double))));

// Index of the tile in block row `row` and block column `column`.
size_t TileIndex(size_t blocks, size_t row, size_t column) {
  return column * blocks - column * (column + 1) / 2 + row;
}

BANDIT_AVX2_CLONE
double PackedQuadraticForm(const double* tile, const double* x, size_t blocks) {
  Lanes total = {};
  for (size_t column = 0; column < blocks; ++column) {
    Lanes sums[kTile] = {};
    for (size_t row = column; row < blocks; ++row) {
      Lanes x_row;
      std::memcpy(&x_row, x + row * kTile, sizeof x_row);
      for (size_t k = 0; k < kTile; ++k) {
        Lanes entries;
        std::memcpy(&entries, tile + k * kTile, sizeof entries);
        sums[k] += entries * x_row;
      }
      tile += kTileSize;
    }
    for (size_t k = 0; k < kTile; ++k) {
      total += x[column * kTile + k] * sums[k];
    }
  }
  return (total[0] + total[1]) + (total[2] + total[3]);
}

double Dot(const double* a, const double* b, size_t n) {
  Lanes total = {};
  for (size_t i = 0; i < n; i += kTile) {
    Lanes left;
    Lanes right;
    std::memcpy(&left, a + i, sizeof left);
    std::memcpy(&right, b + i, sizeof right);
    total += left * right;
  }
  return (total[0] + total[1]) + (total[2] + total[3]);
}

}  // namespace

double PackedInverse::at(size_t i, size_t j) const {
  if (i < j) std::swap(i, j);
  const size_t row = i / kTile;
  const size_t column = j / kTile;
  const size_t tile = TileIndex(Padded(dimension) / kTile, row, column);
  const double entry =
      entries[tile * kTileSize + j % kTile * kTile + i % kTile];
  return row == column ? entry : entry / 2;
}

absl::StatusOr<PackedInverse> InvertRidge(absl::Span<const double> gram,
                                          size_t dimension, double lambda) {
  const auto n = static_cast<Eigen::Index>(dimension);
  Eigen::MatrixXd a = Eigen::MatrixXd::Zero(n, n);
  for (Eigen::Index i = 0, k = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) {
      a(i, j) = gram[static_cast<size_t>(k++)];
    }
    a(i, i) += lambda;
  }
  if (!(a.diagonal().array() > 0).all()) {
    return absl::InvalidArgumentError("a feature's sum of squares is negative");
  }
  const Eigen::VectorXd scale = a.diagonal().cwiseSqrt().cwiseInverse();
  a = scale.asDiagonal() * a * scale.asDiagonal();
  Eigen::LLT<Eigen::MatrixXd, Eigen::Lower> cholesky(a);
  if (cholesky.info() != Eigen::Success) {
    // Features a million times lambda's size leave no digit for it.
    a.diagonal().array() += kJitter;
    cholesky.compute(a);
  }
  if (cholesky.info() != Eigen::Success) {
    return absl::InvalidArgumentError(
        "the features' matrix is not positive semi-definite");
  }
  const Eigen::MatrixXd inverse =
      scale.asDiagonal() * cholesky.solve(Eigen::MatrixXd::Identity(n, n)) *
      scale.asDiagonal();
  if (!inverse.allFinite()) {
    return absl::InvalidArgumentError("the features' matrix has no inverse");
  }
  const size_t blocks = PackedInverse::Padded(dimension) / kTile;
  PackedInverse packed{dimension, {}};
  packed.entries.resize(blocks * (blocks + 1) / 2 * kTileSize);
  double* entry = packed.entries.data();
  for (size_t column = 0; column < blocks; ++column) {
    for (size_t row = column; row < blocks; ++row) {
      for (size_t k = 0; k < kTileSize; ++k, ++entry) {
        const auto i = static_cast<Eigen::Index>(row * kTile + k % kTile);
        const auto j = static_cast<Eigen::Index>(column * kTile + k / kTile);
        if (i >= n || j >= n) continue;
        const double both = inverse(i, j) + inverse(j, i);
        *entry = row == column ? both / 2 : both;
      }
    }
  }
  return packed;
}

void Multiply(const PackedInverse& inverse, absl::Span<const double> v,
              absl::Span<double> result) {
  const size_t blocks = PackedInverse::Padded(inverse.dimension) / kTile;
  assert(v.size() == blocks * kTile && result.size() == v.size());
  std::fill(result.begin(), result.end(), 0.0);
  const double* tile = inverse.entries.data();
  for (size_t column = 0; column < blocks; ++column) {
    for (size_t row = column; row < blocks; ++row, tile += kTileSize) {
      const double half = row == column ? 1 : 0.5;
      double* const out = result.data() + row * kTile;
      double* const mirrored = result.data() + column * kTile;
      const double* const in = v.data() + row * kTile;
      for (size_t k = 0; k < kTile; ++k) {
        const double factor = half * v[column * kTile + k];
        double sum = 0;
        for (size_t r = 0; r < kTile; ++r) {
          out[r] += factor * tile[k * kTile + r];
          sum += in[r] * tile[k * kTile + r];
        }
        if (row != column) mirrored[k] += half * sum;
      }
    }
  }
}

bool AddRankOne(absl::Span<const float> x, PackedInverse* inverse) {
  assert(x.size() == inverse->dimension && x.size() <= kMaxDimension);
  const size_t n = PackedInverse::Padded(x.size());
  double wide[kMaxDimension];
  double u[kMaxDimension];
  std::fill(std::copy(x.begin(), x.end(), wide), wide + n, 0.0);
  Multiply(*inverse, {wide, n}, {u, n});
  const double denominator = 1 + Dot(u, wide, n);
  if (!(denominator >= 1 && std::isfinite(denominator))) return false;
  const size_t blocks = n / kTile;
  double* tile = inverse->entries.data();
  for (size_t column = 0; column < blocks; ++column) {
    for (size_t k = 0; k < kTile && column * kTile + k < x.size(); ++k) {
      const double before = tile[k * kTile + k];
      const double taken = u[column * kTile + k];
      if (!(before - taken * taken / denominator > kMostCancelled * before)) {
        return false;
      }
    }
    for (size_t row = column; row < blocks; ++row, tile += kTileSize) {
      for (size_t k = 0; k < kTile; ++k) {
        const double factor =
            (row == column ? 1 : 2) * u[column * kTile + k] / denominator;
        for (size_t r = 0; r < kTile; ++r) {
          tile[k * kTile + r] -= factor * u[row * kTile + r];
        }
      }
    }
  }
  return true;
}

double QuadraticForm(const PackedInverse& inverse, absl::Span<const double> x) {
  assert(x.size() == PackedInverse::Padded(inverse.dimension));
  return std::max(0.0, PackedQuadraticForm(inverse.entries.data(), x.data(),
                                           x.size() / kTile));
}

double LinUcbScore(const LinearArm& arm, absl::Span<const double> x,
                   double width) {
  assert(arm.theta.size() == x.size());
  const double mean = Dot(arm.theta.data(), x.data(), x.size());
  return mean + width * std::sqrt(QuadraticForm(*arm.inverse, x));
}

}  // namespace bandit::policies
