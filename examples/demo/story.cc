// SPDX-License-Identifier: Apache-2.0
#include "examples/demo/story.h"

#include <algorithm>

#include "fmt/format.h"

namespace bandit::demo {
namespace {

// What was sent just before the ejection was seen may have gone to the arm.
constexpr absl::Duration kSettling = absl::Seconds(1);

double Percent(uint64_t part, uint64_t whole) {
  return whole == 0
             ? 0
             : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void Story::Served(absl::Duration sent, absl::Duration latency) {
  const auto bin =
      static_cast<size_t>(std::max(absl::ZeroDuration(), sent) / kBin);
  if (bins_.size() <= bin) bins_.resize(bin + 1);
  ++bins_[bin].served;
  bins_[bin].slow += latency > kLatencyLimit ? 1 : 0;
}

void Story::Degraded(const std::string& arm, absl::Duration at) {
  arm_ = arm;
  degraded_ = at;
  notes_.push_back({at, fmt::format("{} turns slow", arm)});
}

void Story::Observe(const v1::ExperimentStatus& status, absl::Duration at) {
  for (const v1::ArmStatus& arm : status.arms()) {
    std::string& state = states_[arm.name()];
    if (state == arm.state()) continue;
    const bool first = state.empty();
    state = arm.state();
    if (first && state == "active") continue;
    if (state == "ejected") {
      notes_.push_back({at, fmt::format("{} is ejected: {}", arm.name(),
                                        arm.state_reason())});
      if (arm.name() == arm_ && !ejected_.has_value()) ejected_ = at;
    } else {
      notes_.push_back(
          {at, fmt::format("{} is {}", arm.name(),
                           state == "probation" ? "on probation: a few requests"
                                                : "active again")});
    }
  }
}

Story::Bin Story::Between(absl::Duration from, absl::Duration to) const {
  Bin sum;
  for (size_t i = 0; i < bins_.size(); ++i) {
    const absl::Duration begin = static_cast<double>(i) * kBin;
    if (begin < from || begin >= to) continue;
    sum.served += bins_[i].served;
    sum.slow += bins_[i].slow;
  }
  return sum;
}

std::string Story::Text() const {
  std::string text = "\nWhat happened\n";
  for (const Note& note : notes_) {
    text += fmt::format("  {:>6.1f} s  {}\n", absl::ToDoubleSeconds(note.at),
                        note.text);
  }
  if (!degraded_.has_value()) return text;
  const absl::Duration ejected = ejected_.value_or(absl::InfiniteDuration());
  text += fmt::format("\nRequests that took more than {}\n",
                      absl::FormatDuration(kLatencyLimit));
  const auto line = [&](const char* when, absl::Duration from,
                        absl::Duration to) {
    const Bin bin = Between(from, to);
    text += fmt::format("  {:<32} {:>5.1f} % of {}\n", when,
                        Percent(bin.slow, bin.served), bin.served);
  };
  line("before it turned slow", absl::ZeroDuration(), *degraded_);
  line("until the guardrail ejected it", *degraded_, ejected);
  if (ejected_.has_value()) {
    line("afterwards", ejected + kSettling, absl::InfiniteDuration());
  }
  return text;
}

std::vector<std::string> Story::Problems() const {
  if (!degraded_.has_value()) return {"no arm turned slow"};
  if (!ejected_.has_value()) {
    return {fmt::format("{} turned slow and was not ejected", arm_)};
  }
  const Bin during = Between(*degraded_, *ejected_);
  const Bin after = Between(*ejected_ + kSettling, absl::InfiniteDuration());
  const double slow_during = Percent(during.slow, during.served);
  const double slow_after = Percent(after.slow, after.served);
  if (slow_after * 2 < slow_during || slow_after < 5) return {};
  return {
      fmt::format("traffic did not recover: {:.1f} % of the requests were "
                  "slow before the ejection, {:.1f} % afterwards",
                  slow_during, slow_after)};
}

}  // namespace bandit::demo
