// SPDX-License-Identifier: Apache-2.0
#include "router/guardrails/window.h"

#include <utility>

#include "router/guardrails/evidence.h"

namespace bandit::guardrails {
namespace {

constexpr int kSteps = 8;

}  // namespace

Window::Window(Sums arm, Sums control, absl::Time now) {
  marks_.push_back({now, std::move(arm), std::move(control)});
}

bool Window::Look(const Rule& rule, const Sums& arm, const Sums& control,
                  absl::Time now) {
  // The oldest mark is the window's edge: the next one is inside.
  while (marks_.size() > 1 && marks_[1].time <= now - rule.window) {
    marks_.pop_front();
  }
  const Sums own = arm - marks_.front().arm;
  const Sums other = control - marks_.front().control;
  const bool enough = own.count >= rule.min_samples &&
                      (!rule.relative() || other.count >= rule.min_samples);
  if (now - marks_.back().time >= rule.window / kSteps) {
    marks_.push_back({now, arm, control});
  }
  return enough && IsBeyond(rule, own, other);
}

}  // namespace bandit::guardrails
