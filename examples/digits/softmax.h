// SPDX-License-Identifier: Apache-2.0
// The softmax of each row, in place.
#ifndef BANDIT_EXAMPLES_DIGITS_SOFTMAX_H_
#define BANDIT_EXAMPLES_DIGITS_SOFTMAX_H_

#include "Eigen/Core"

namespace bandit::digits {

// The row's maximum is taken off first, so no finite input overflows.
template <typename Matrix>
void SoftmaxRows(Matrix& logits) {
  logits.colwise() -= logits.rowwise().maxCoeff().eval();
  logits = logits.array().exp().matrix().eval();
  logits.array().colwise() /= logits.rowwise().sum().array().eval();
}

}  // namespace bandit::digits

#endif  // BANDIT_EXAMPLES_DIGITS_SOFTMAX_H_
