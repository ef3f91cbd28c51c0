// SPDX-License-Identifier: Apache-2.0
#include "router/simulation/maturity.h"

#include <algorithm>

#include "absl/time/time.h"

namespace bandit::simulation {

Maturity::Maturity(const World& world, int64_t start_ns)
    : start_ns_(start_ns),
      slice_ns_(absl::ToInt64Nanoseconds(world.experiment().slice)) {
  for (const Part& part : world.parts()) {
    if (part.source != experiment::MetricSource::kFeedback) continue;
    const experiment::Metric& metric = world.experiment().metrics[part.metric];
    if (!metric.default_value.has_value()) continue;
    windows_.push_back({.length_ns = absl::ToInt64Nanoseconds(metric.window)});
  }
}

void Maturity::Await(int64_t ns) {
  if (windows_.empty()) return;
  const int64_t end = ns + slice_ns_ - (start_ns_ + ns) % slice_ns_;
  for (Window& window : windows_) {
    const int64_t due = end + window.length_ns;
    if (window.due.empty() || window.due.back() != due) {
      window.due.push_back(due);
    }
  }
}

void Maturity::Pass(int64_t ns) {
  for (Window& window : windows_) {
    while (!window.due.empty() && window.due.front() <= ns) {
      window.due.pop_front();
    }
  }
}

std::optional<int64_t> Maturity::Next() const {
  std::optional<int64_t> next;
  for (const Window& window : windows_) {
    if (window.due.empty()) continue;
    next = std::min(next.value_or(window.due.front()), window.due.front());
  }
  return next;
}

}  // namespace bandit::simulation
