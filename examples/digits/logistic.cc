// SPDX-License-Identifier: Apache-2.0
#include "Eigen/Eigenvalues"
#include "examples/digits/classifier.h"
#include "examples/digits/softmax.h"

namespace bandit::digits {
namespace {

using Features =
    Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Weights = Eigen::Matrix<float, Eigen::Dynamic, kClasses>;

// Pixels to features: block means, shifted and scaled to the training set's
// mean 0 and overall deviation 1, and a last column of 1.
class Encoder {
 public:
  Encoder(const Images& train, int block) : block_(block) {
    const Features means = BlockMeans(train);
    mean_ = means.colwise().mean();
    const Features centered = means.rowwise() - mean_;
    scale_ = 1 / std::sqrt(centered.squaredNorm() /
                           static_cast<float>(centered.size()));
  }

  Features Encode(const Images& images) const {
    const Features means = BlockMeans(images);
    Features features(means.rows(), means.cols() + 1);
    features.leftCols(means.cols()) = (means.rowwise() - mean_) * scale_;
    features.rightCols(1).setOnes();
    return features;
  }

 private:
  Features BlockMeans(const Images& images) const {
    const Eigen::Index side = kSide / block_;
    Features means = Features::Zero(images.rows(), side * side);
    for (int pixel = 0; pixel < kPixels; ++pixel) {
      const int row = pixel / kSide / block_;
      const int column = pixel % kSide / block_;
      means.col(row * side + column) += images.col(pixel);
    }
    return means / static_cast<float>(block_ * block_);
  }

  int block_;
  Eigen::RowVectorXf mean_;
  float scale_ = 1;
};

class Logistic : public Classifier {
 public:
  Logistic(Encoder encoder, Weights weights)
      : encoder_(std::move(encoder)), weights_(std::move(weights)) {}

  Scores Score(const Images& images) const override {
    Scores scores = encoder_.Encode(images) * weights_;
    SoftmaxRows(scores);
    return scores;
  }

 private:
  Encoder encoder_;
  Weights weights_;
};

// Minimizes the mean cross entropy plus an L2 penalty by Nesterov's method.
// The step is the inverse of the gradient's Lipschitz constant, half the
// largest eigenvalue of X'X/n (Boehning 1992), so nothing needs tuning.
Weights Fit(const Features& x, const std::vector<int>& labels) {
  constexpr int kSteps = 300;
  constexpr float kPenalty = 1e-3F;
  const auto n = static_cast<float>(x.rows());
  Eigen::MatrixXf target = Eigen::MatrixXf::Zero(x.rows(), kClasses);
  for (size_t i = 0; i < labels.size(); ++i) {
    target(static_cast<Eigen::Index>(i), labels[i]) = 1;
  }
  const Eigen::MatrixXf gram = x.transpose() * x / n;
  const float largest = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXf>(
                            gram, Eigen::EigenvaluesOnly)
                            .eigenvalues()
                            .maxCoeff();
  const float step = 1 / (largest / 2 + kPenalty);

  Weights weights = Weights::Zero(x.cols(), kClasses);
  Weights previous = weights;
  for (int t = 0; t < kSteps; ++t) {
    const float momentum = static_cast<float>(t) / static_cast<float>(t + 3);
    const Weights ahead = weights + momentum * (weights - previous);
    Eigen::MatrixXf error = x * ahead;
    SoftmaxRows(error);
    error -= target;
    previous = weights;
    weights = ahead - step * (x.transpose() * error / n + kPenalty * ahead);
  }
  return weights;
}

}  // namespace

std::unique_ptr<Classifier> TrainLogistic(const Samples& train, int block) {
  Encoder encoder(train.images, block);
  Weights weights = Fit(encoder.Encode(train.images), train.labels);
  return std::make_unique<Logistic>(std::move(encoder), std::move(weights));
}

}  // namespace bandit::digits
