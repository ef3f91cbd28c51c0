// SPDX-License-Identifier: Apache-2.0
// What the client saw: requests served, rewards acknowledged, latencies.
#ifndef BANDIT_EXAMPLES_DEMO_TALLY_H_
#define BANDIT_EXAMPLES_DEMO_TALLY_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "bandit/v1/feedback.pb.h"
#include "examples/demo/workload.h"
#include "stats/histogram.h"

namespace bandit::demo {

struct Estimate {
  double mean = 0;
  double standard_error = 0;
};

// Thread-safety: none.   Cost: memory grows with the run's length (a counter
// per arm, device and quarter of a second), not with its requests.
class Tally {
 public:
  explicit Tally(size_t arms);

  // `at` is the time since the run began.
  void Served(size_t arm, Device device, absl::Duration at,
              absl::Duration latency);
  void Failed(const std::string& why);
  // An acknowledged reward; only ACCEPTED ones count towards the arm.
  void Rewarded(size_t arm, Device device, double value, v1::Outcome outcome);

  size_t arms() const { return latency_.size(); }
  uint64_t served() const;
  uint64_t failed() const { return failed_; }
  // Why the first request failed; empty if none did.
  const std::string& first_failure() const { return first_failure_; }
  uint64_t outcomes(v1::Outcome outcome) const;

  struct Cell {
    uint64_t served = 0;
    uint64_t rewards = 0;
    double sum = 0;
    // 0 without rewards.
    double mean() const { return rewards == 0 ? 0 : sum / rewards; }
  };
  const Cell& cell(size_t arm, Device device) const {
    return cells_[arm][static_cast<size_t>(device)];
  }
  // Over both devices.
  Cell Arm(size_t arm) const;
  Cell All() const;
  // q in [0, 1]; 0 without requests.
  absl::Duration Latency(size_t arm, double q) const;

  // Each arm's share of the requests served in [from, to), of one device or
  // both; all 0 if there were none. Exact to a quarter of a second.
  std::vector<double> Shares(absl::Duration from, absl::Duration to,
                             std::optional<Device> device = {}) const;

  // What the arm would earn per request if it took all of them, from the
  // requests that it served: its mean per device, weighted by the devices'
  // shares of the whole traffic (an arm that mostly got one device is thus not
  // judged by it alone). nullopt if it served none of a device that occurs.
  // The error is of the means, about (sum + 1) / (n + 2).
  std::optional<Estimate> Value(size_t arm) const;
  // The same on one device.
  std::optional<Estimate> Value(size_t arm, Device device) const;

 private:
  static constexpr absl::Duration kBin = absl::Milliseconds(250);
  using PerDevice = std::array<Cell, kDevices.size()>;

  std::vector<PerDevice> cells_;
  std::vector<stats::LogLinearHistogram> latency_;  // ns
  // By bin, then arm: served per device.
  std::vector<std::vector<std::array<uint64_t, kDevices.size()>>> bins_;
  uint64_t failed_ = 0;
  std::string first_failure_;
  std::map<v1::Outcome, uint64_t> outcomes_;
};

}  // namespace bandit::demo

#endif  // BANDIT_EXAMPLES_DEMO_TALLY_H_
