// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "examples/digits/classifier.h"

namespace bandit::digits {
namespace {

class NearestNeighbours : public Classifier {
 public:
  NearestNeighbours(Samples train, int k)
      : train_(std::move(train)),
        norms_(train_.images.rowwise().squaredNorm()),
        k_(std::min(k, train_.size())) {}

  Scores Score(const Images& images) const override {
    Scores scores = Scores::Zero(images.rows(), kClasses);
    std::vector<int> order(train_.size());
    for (Eigen::Index i = 0; i < images.rows(); ++i) {
      // Squared distances less |x|^2, which does not change the order.
      const Eigen::VectorXf distances =
          norms_ - 2 * train_.images * images.row(i).transpose();
      std::iota(order.begin(), order.end(), 0);
      std::partial_sort(
          order.begin(), order.begin() + k_, order.end(), [&](int a, int b) {
            return std::pair(distances[a], a) < std::pair(distances[b], b);
          });
      Vote(distances, images.row(i).squaredNorm(), order, scores, i);
    }
    return scores;
  }

 private:
  // A neighbour's vote is the inverse of its distance, so that ties go to the
  // nearer ones.
  void Vote(const Eigen::VectorXf& distances, float norm,
            const std::vector<int>& order, Scores& scores,
            Eigen::Index row) const {
    constexpr float kLeastDistance = 1e-3F;
    for (int j = 0; j < k_; ++j) {
      const float distance =
          std::sqrt(std::max(0.0F, distances[order[j]] + norm));
      scores(row, train_.labels[order[j]]) +=
          1 / std::max(distance, kLeastDistance);
    }
    scores.row(row) /= scores.row(row).sum();
  }

  Samples train_;
  Eigen::VectorXf norms_;
  int k_;
};

}  // namespace

std::unique_ptr<Classifier> TrainNearestNeighbours(const Samples& train,
                                                   int k) {
  return std::make_unique<NearestNeighbours>(train, k);
}

}  // namespace bandit::digits
