// SPDX-License-Identifier: Apache-2.0
#include "examples/digits/classifier.h"

namespace bandit::digits {

std::vector<int> Classify(const Scores& scores) {
  std::vector<int> classes(scores.rows());
  for (Eigen::Index i = 0; i < scores.rows(); ++i) {
    scores.row(i).maxCoeff(&classes[i]);
  }
  return classes;
}

double Accuracy(const Classifier& classifier, const Samples& samples) {
  const std::vector<int> classes = Classify(classifier.Score(samples.images));
  int right = 0;
  for (int i = 0; i < samples.size(); ++i) {
    right += classes[i] == samples.labels[i] ? 1 : 0;
  }
  return static_cast<double>(right) / samples.size();
}

}  // namespace bandit::digits
