// SPDX-License-Identifier: Apache-2.0
#include "stats/robust_mean.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "stats/special.h"

namespace bandit::stats {
namespace {

constexpr double kBase = 1.5;     // Of the grid of large errors.
constexpr double kMostBet = 0.5;  // The largest lambda is this / sqrt(kStep).
constexpr double kStep = 1.6;     // Between one lambda and the next.
constexpr double kEta = 0.95;
constexpr double kZeta2 = 1.6449340668482264;     // zeta(2)
constexpr double kPolylog2 = 1.4406337969700393;  // Li_2(kEta)
// Repetitions up to here are added one by one, more by trigamma functions,
// whose difference would lose the digits of few.
constexpr double kFew = 16;

// The mixture: what depends on no data.
struct Bets {
  static constexpr size_t kBets = RobustMean::kBets;
  double largest = std::pow(kBase, RobustMean::kCells - 1.0);
  std::array<double, kBets> lambda;
  std::array<double, kBets> log_weight;
  // What an entry of the grid costs, and of the correction.
  std::array<std::array<double, RobustMean::kCells>, kBets> grid;
  std::array<std::array<double, RobustMean::kCells>, kBets> correction;

  Bets() {
    const double scale = 0.5 * (1 + kPolylog2 / (kEta * kZeta2));
    for (size_t j = 0; j < kBets; ++j) {
      const double step = static_cast<double>(j);
      lambda[j] = kMostBet * std::pow(kStep, -(step + 0.5));
      log_weight[j] =
          std::log(scale) + std::log(kStep - 1) - (1 + step) * std::log(kStep);
      double x = 1;
      for (size_t n = 0; n < RobustMean::kCells; ++n, x *= kBase) {
        const double bet = lambda[j] * x;
        const double ratio = bet * (kBase - 1) / (1 + bet * kBase);
        grid[j][n] = bet - std::log1p(bet);
        correction[j][n] = ratio * ratio;
      }
    }
  }
};

const Bets& Mixture() {
  static const Bets* const bets = new Bets();
  return *bets;
}

}  // namespace

void RobustMean::AddOne(double x) {
  const double prediction = std::min(1.0, (sum_ + 0.5) / (count_ + 1));
  const double error = x - prediction;
  if (error <= 0) {
    low_ += error * error;
  } else if (error <= 1) {
    middle_ += error * error;
  } else {
    // The last cell but one at most, for the error's upper neighbour.
    const size_t n = std::min<size_t>(
        static_cast<size_t>(std::log(error) / std::log(kBase)), kCells - 2);
    const double below = std::pow(kBase, static_cast<double>(n));
    const double part =
        std::clamp((kBase * below - error) / ((kBase - 1) * below), 0.0, 1.0);
    grid_[n] += part;
    grid_[n + 1] += 1 - part;
    correction_[n] -= 0.5 * part * (1 - part);
  }
  sum_ += x;
  count_ += 1;
}

void RobustMean::Add(double x, double times) {
  assert(x >= 0 && times >= 0);
  x = std::min(x, Mixture().largest);
  while (times > 0 && (x > 1 || times <= kFew || sum_ > count_ + 0.5)) {
    AddOne(x);
    times -= 1;
  }
  if (!(times > 0)) return;
  // The predictions, all below 1, miss x by c / (count + 1), c / (count + 2)...
  const double c = x * (count_ + 1) - sum_ - 0.5;
  const double squares =
      c * c * (Trigamma(count_ + 1) - Trigamma(count_ + 1 + times));
  (c <= 0 ? low_ : middle_) += squares;
  sum_ += times * x;
  count_ += times;
}

void RobustMean::Merge(const RobustMean& other) {
  count_ += other.count_;
  sum_ += other.sum_;
  low_ += other.low_;
  middle_ += other.middle_;
  for (size_t n = 0; n < kCells; ++n) {
    grid_[n] += other.grid_[n];
    correction_[n] += other.correction_[n];
  }
}

std::array<double, RobustMean::kBets> RobustMean::LogWealthAtZero() const {
  const Bets& bets = Mixture();
  std::array<double, kBets> log_wealth;
  for (size_t j = 0; j < kBets; ++j) {
    const double lambda = bets.lambda[j];
    double cost = 0.5 * lambda * lambda * (low_ / (1 - lambda) + middle_);
    for (size_t n = 0; n < kCells; ++n) {
      cost +=
          grid_[n] * bets.grid[j][n] + correction_[n] * bets.correction[j][n];
    }
    log_wealth[j] = lambda * sum_ - cost + bets.log_weight[j];
  }
  return log_wealth;
}

double RobustMean::LogEvidence(double mean,
                               std::array<double, kBets> wealth) const {
  const Bets& bets = Mixture();
  for (size_t j = 0; j < kBets; ++j) {
    wealth[j] -= bets.lambda[j] * count_ * mean;
  }
  const double top = *std::max_element(wealth.begin(), wealth.end());
  double sum = 0;
  for (const double log : wealth) sum += std::exp(log - top);
  return top + std::log(sum);
}

double RobustMean::LogEvidence(double mean) const {
  return LogEvidence(mean, LogWealthAtZero());
}

double RobustMean::LowerBound(double alpha) const {
  const double threshold = -std::log(alpha);
  const std::array<double, kBets> wealth = LogWealthAtZero();
  const auto possible = [&](double mean) {
    return LogEvidence(mean, wealth) < threshold;
  };
  // All the way up if the data contradict every mean in [0, 1].
  if (!possible(1)) return 1;
  return Boundary(1, 0, possible);
}

}  // namespace bandit::stats
