// SPDX-License-Identifier: Apache-2.0
// The scenario `regression`, told: an arm turns slow, is ejected, and traffic
// recovers.
#ifndef BANDIT_EXAMPLES_DEMO_STORY_H_
#define BANDIT_EXAMPLES_DEMO_STORY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "bandit/v1/admin.pb.h"

namespace bandit::demo {

// What the guardrail of the demo allows 5 % of an arm's requests to exceed.
inline constexpr absl::Duration kLatencyLimit = absl::Milliseconds(150);

// Times are since the run began. Thread-safety: none.
class Story {
 public:
  // A request sent at `sent` was answered after `latency`.
  void Served(absl::Duration sent, absl::Duration latency);
  // From now on the arm is slow.
  void Degraded(const std::string& arm, absl::Duration at);
  // What the router says; keeps what has changed.
  void Observe(const v1::ExperimentStatus& status, absl::Duration at);

  const std::string& degraded_arm() const { return arm_; }

  // What happened when, and the share of slow requests before, during, after.
  std::string Text() const;
  // Why the run does not show what it is to show; empty if it does.
  std::vector<std::string> Problems() const;

 private:
  static constexpr absl::Duration kBin = absl::Milliseconds(250);
  struct Bin {
    uint64_t served = 0;
    uint64_t slow = 0;
  };
  struct Note {
    absl::Duration at;
    std::string text;
  };

  // Of the requests sent in [from, to).
  Bin Between(absl::Duration from, absl::Duration to) const;

  std::vector<Bin> bins_;
  std::vector<Note> notes_;
  std::map<std::string, std::string> states_;  // By arm.
  std::string arm_;
  std::optional<absl::Duration> degraded_;
  std::optional<absl::Duration> ejected_;
};

}  // namespace bandit::demo

#endif  // BANDIT_EXAMPLES_DEMO_STORY_H_
