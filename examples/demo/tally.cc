// SPDX-License-Identifier: Apache-2.0
#include "examples/demo/tally.h"

#include <algorithm>
#include <cmath>

namespace bandit::demo {

Tally::Tally(size_t arms) : cells_(arms), latency_(arms) {}

void Tally::Served(size_t arm, Device device, absl::Duration at,
                   absl::Duration latency) {
  const auto d = static_cast<size_t>(device);
  ++cells_[arm][d].served;
  latency_[arm].Record(static_cast<uint64_t>(
      std::max<int64_t>(0, absl::ToInt64Nanoseconds(latency))));
  const auto bin = static_cast<size_t>(std::max<int64_t>(
      0, absl::ToInt64Nanoseconds(at) / absl::ToInt64Nanoseconds(kBin)));
  if (bin >= bins_.size()) {
    bins_.resize(bin + 1,
                 std::vector<std::array<uint64_t, kDevices.size()>>(arms()));
  }
  ++bins_[bin][arm][d];
}

void Tally::Failed(const std::string& why) {
  if (failed_++ == 0) first_failure_ = why;
}

void Tally::Rewarded(size_t arm, Device device, double value,
                     v1::Outcome outcome) {
  ++outcomes_[outcome];
  if (outcome != v1::ACCEPTED) return;
  Cell& cell = cells_[arm][static_cast<size_t>(device)];
  ++cell.rewards;
  cell.sum += value;
}

uint64_t Tally::served() const { return All().served; }

uint64_t Tally::outcomes(v1::Outcome outcome) const {
  const auto it = outcomes_.find(outcome);
  return it == outcomes_.end() ? 0 : it->second;
}

Tally::Cell Tally::Arm(size_t arm) const {
  Cell total;
  for (const Cell& cell : cells_[arm]) {
    total.served += cell.served;
    total.rewards += cell.rewards;
    total.sum += cell.sum;
  }
  return total;
}

Tally::Cell Tally::All() const {
  Cell total;
  for (size_t arm = 0; arm < arms(); ++arm) {
    const Cell cell = Arm(arm);
    total.served += cell.served;
    total.rewards += cell.rewards;
    total.sum += cell.sum;
  }
  return total;
}

absl::Duration Tally::Latency(size_t arm, double q) const {
  return absl::Nanoseconds(latency_[arm].Quantile(q));
}

std::vector<double> Tally::Shares(absl::Duration from, absl::Duration to,
                                  std::optional<Device> device) const {
  std::vector<double> shares(arms());
  double total = 0;
  for (size_t bin = 0; bin < bins_.size(); ++bin) {
    const absl::Duration at = kBin * static_cast<int64_t>(bin);
    if (at < from || at >= to) continue;
    for (size_t arm = 0; arm < arms(); ++arm) {
      for (const Device d : kDevices) {
        if (device.has_value() && *device != d) continue;
        const auto count =
            static_cast<double>(bins_[bin][arm][static_cast<size_t>(d)]);
        shares[arm] += count;
        total += count;
      }
    }
  }
  if (total > 0) {
    for (double& share : shares) share /= total;
  }
  return shares;
}

std::optional<Estimate> Tally::Value(size_t arm, Device device) const {
  const Cell& c = cell(arm, device);
  if (c.rewards == 0) return std::nullopt;
  const auto n = static_cast<double>(c.rewards);
  const double center = (c.sum + 1) / (n + 2);
  return Estimate{.mean = c.mean(),
                  .standard_error = std::sqrt(center * (1 - center) / n)};
}

std::optional<Estimate> Tally::Value(size_t arm) const {
  const auto all = static_cast<double>(All().rewards);
  Estimate value;
  double variance = 0;
  for (const Device device : kDevices) {
    double of_device = 0;
    for (size_t a = 0; a < arms(); ++a) of_device += cell(a, device).rewards;
    if (of_device == 0) continue;
    const std::optional<Estimate> mean = Value(arm, device);
    if (!mean.has_value()) return std::nullopt;
    const double weight = of_device / all;
    value.mean += weight * mean->mean;
    variance += std::pow(weight * mean->standard_error, 2);
  }
  if (all == 0) return std::nullopt;
  value.standard_error = std::sqrt(variance);
  return value;
}

}  // namespace bandit::demo
