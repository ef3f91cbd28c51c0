// SPDX-License-Identifier: Apache-2.0
#include "router/guardrails/detector.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "router/guardrails/evidence.h"

namespace bandit::guardrails {
namespace {

double Wealth(const Detector::Start& start) {
  return LogShare(start.number) + start.log_evidence;
}

bool LessWealthy(const Detector::Start& a, const Detector::Start& b) {
  return Wealth(a) < Wealth(b);
}

}  // namespace

double LogShare(uint64_t k) {
  const double log_k = std::log(static_cast<double>(k));
  // f(k) - f(k + 1), written so that it does not cancel for large k.
  const double step = std::log1p(1 / static_cast<double>(k));
  return std::log(step) - std::log1p(log_k) - std::log1p(log_k + step);
}

Detector::Detector(Sums arm, Sums control, absl::Time now) {
  starts_.push_back({.number = 1,
                     .time = now,
                     .arm = std::move(arm),
                     .control = std::move(control)});
}

double Detector::Look(const Rule& rule, const Sums& arm, const Sums& control,
                      absl::Time now) {
  // What holds for many observations only is no base for many tests.
  const bool restarts = IsExact(rule);
  double most = -std::numeric_limits<double>::infinity();
  for (Start& start : starts_) {
    start.log_evidence =
        LogEvidence(rule, arm - start.arm, control - start.control);
    most = std::max(most, Wealth(start));
  }
  if (!restarts) return starts_.front().log_evidence;
  double sum = 0;
  for (const Start& start : starts_) sum += std::exp(Wealth(start) - most);
  // One e-value may be infinite: a failure where none is allowed.
  const double total = std::isfinite(most) ? most + std::log(sum) : most;

  const Start& last = starts_.back();
  if (arm.count - last.arm.count >= kLeastObservations &&
      now - last.time >= kLeastPause) {
    ++started_;
    starts_.push_back(
        {.number = started_, .time = now, .arm = arm, .control = control});
    GiveUp();
  }
  return total;
}

void Detector::GiveUp() {
  std::vector<Start> kept;
  double later = -std::numeric_limits<double>::infinity();
  for (auto start = starts_.rbegin(); start != starts_.rend(); ++start) {
    if (Wealth(*start) <= later) continue;
    later = Wealth(*start);
    kept.push_back(std::move(*start));
  }
  std::reverse(kept.begin(), kept.end());
  // The newest has had no chance yet.
  while (kept.size() > kMostTests) {
    kept.erase(std::min_element(kept.begin(), kept.end() - 1, LessWealthy));
  }
  starts_ = std::move(kept);
}

const Detector::Start& Detector::strongest() const {
  return *std::max_element(starts_.begin(), starts_.end(), LessWealthy);
}

}  // namespace bandit::guardrails
