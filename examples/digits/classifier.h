// SPDX-License-Identifier: Apache-2.0
// Classifiers of digits, trained in memory within a second.
//
// Three families that differ in what they cost and how well they do: that is
// what the router has to find out.
#ifndef BANDIT_EXAMPLES_DIGITS_CLASSIFIER_H_
#define BANDIT_EXAMPLES_DIGITS_CLASSIFIER_H_

#include <memory>
#include <vector>

#include "Eigen/Core"
#include "examples/digits/dataset.h"

namespace bandit::digits {

// One row an image, one column a class; rows sum to 1.
using Scores = Eigen::Matrix<float, Eigen::Dynamic, kClasses, Eigen::RowMajor>;

// A trained model.
// Thread-safety: const calls may overlap.
class Classifier {
 public:
  virtual ~Classifier() = default;
  virtual Scores Score(const Images& images) const = 0;
};

// The class with the highest score, one an image; the lowest of equals.
std::vector<int> Classify(const Scores& scores);

// The share of `samples` that `classifier` gets right.
double Accuracy(const Classifier& classifier, const Samples& samples);

// All three: every class has a sample in `train`. Deterministic.

// Nearest class mean; scores are a softmax over negative squared distances.
// Cost: 640 multiplications an image.
std::unique_ptr<Classifier> TrainCentroid(const Samples& train);

// Multinomial logistic regression by accelerated gradient descent, on the mean
// of each `block` x `block` square of pixels (1: the pixels themselves).
// REQUIRES: `block` divides 8.
std::unique_ptr<Classifier> TrainLogistic(const Samples& train, int block);

// Vote of the `k` nearest training images. Keeps the training set.
// Cost: 64 multiplications a training image.
std::unique_ptr<Classifier> TrainNearestNeighbours(const Samples& train, int k);

}  // namespace bandit::digits

#endif  // BANDIT_EXAMPLES_DIGITS_CLASSIFIER_H_
