// SPDX-License-Identifier: Apache-2.0
// What a run showed: everything measured, nothing assumed.
#ifndef BANDIT_EXAMPLES_DEMO_SUMMARY_H_
#define BANDIT_EXAMPLES_DEMO_SUMMARY_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "bandit/v1/admin.pb.h"
#include "examples/demo/tally.h"
#include "examples/demo/workload.h"
#include "nlohmann/json.hpp"

namespace bandit::demo {

struct ArmInfo {
  std::string name;
  // Of 1,000 requests.
  double cost = 0;
};

// The facts of a run that the tally does not hold.
struct RunFacts {
  std::string policy;
  // Whether the policy is meant to move traffic, and to look at the device.
  bool adaptive = false;
  // Whether an arm turned slow half-way: then the best arm may have been taken
  // out, and growth proves nothing.
  bool regression = false;
  bool contextual = false;
  uint64_t seed = 0;
  // How long requests were sent.
  absl::Duration traffic;
  bool interrupted = false;
  // Rewards that were sent again because the router was busy.
  uint64_t rewards_retried = 0;
  // Rewards that were not acknowledged in the end.
  uint64_t rewards_open = 0;
  std::vector<ArmInfo> arms;
  // The router's own view when all was over.
  std::optional<v1::ExperimentStatus> router;
};

// Where traffic went, against what the rewards say was best.
struct Growth {
  // The arm with the highest value, and those whose value two standard errors
  // of the difference do not tell from it. Empty: there are no values.
  std::vector<size_t> best;
  // The joint share of `best`: in an even split, in the run's first
  // thirtieth (two seconds of a minute), in its last quarter.
  double even = 0;
  double first = 0;
  double last = 0;

  // Whether the rewards tell any arm from the best.
  bool told_apart() const { return !best.empty() && even < 1; }
  // Whether `best` gained at least a tenth of what an even split denies it.
  bool grew() const { return last >= even + 0.1 * (1 - even); }
};

// On one device, or on all traffic.
Growth JudgeGrowth(const Tally& tally, absl::Duration traffic,
                   std::optional<Device> device);

struct Summary {
  RunFacts run;
  // Rewards per request.
  double obtained = 0;
  // What the best single arm, and an even split over all arms, would have got
  // of the same traffic by the arms' values; nullopt if an arm's is unknown.
  std::optional<size_t> best_arm;
  std::optional<Estimate> best_fixed;
  std::optional<Estimate> even_split;
  double cost_per_1000 = 0;
  // Of all traffic, and per device.
  Growth growth;
  std::array<Growth, kDevices.size()> device_growth;
  // Why the run does not count as a success; empty if it does.
  std::vector<std::string> problems;
};

Summary Summarize(const Tally& tally, const RunFacts& run);

// For the terminal, and for machines (`--json`; names as in the text).
std::string SummaryText(const Summary& summary, const Tally& tally);
nlohmann::json SummaryJson(const Summary& summary, const Tally& tally);

}  // namespace bandit::demo

#endif  // BANDIT_EXAMPLES_DEMO_SUMMARY_H_
