// SPDX-License-Identifier: Apache-2.0
#include "examples/digits/classifier.h"
#include "examples/digits/softmax.h"

namespace bandit::digits {
namespace {

using Centroids = Eigen::Matrix<float, kClasses, kPixels, Eigen::RowMajor>;

class Centroid : public Classifier {
 public:
  explicit Centroid(const Centroids& centroids) : centroids_(centroids) {}

  Scores Score(const Images& images) const override {
    // -|x - c|^2 / s without |x|^2, which is the same for all classes. s keeps
    // the softmax from saturating: squared distances run to thousands.
    constexpr float kScale = 100;
    Scores scores = 2 * images * centroids_.transpose();
    scores.rowwise() -= centroids_.rowwise().squaredNorm().transpose();
    scores /= kScale;
    SoftmaxRows(scores);
    return scores;
  }

 private:
  Centroids centroids_;
};

}  // namespace

std::unique_ptr<Classifier> TrainCentroid(const Samples& train) {
  Centroids sums = Centroids::Zero();
  Eigen::Vector<float, kClasses> counts =
      Eigen::Vector<float, kClasses>::Zero();
  for (int i = 0; i < train.size(); ++i) {
    sums.row(train.labels[i]) += train.images.row(i);
    counts[train.labels[i]] += 1;
  }
  sums.array().colwise() /= counts.array();
  return std::make_unique<Centroid>(sums);
}

}  // namespace bandit::digits
