// SPDX-License-Identifier: Apache-2.0
#include "examples/demo/workload.h"

#include <algorithm>

#include "fmt/format.h"

namespace bandit::demo {
namespace {

constexpr int kUsers = 1000;
constexpr double kLongestRewardDelay = 5;  // Times the mean.

}  // namespace

std::string_view DeviceName(Device device) {
  return device == Device::kScanner ? "scanner" : "camera";
}

Workload::Workload(int samples, double rate, absl::Duration mean_reward_delay,
                   uint64_t seed)
    : samples_(samples),
      rate_(rate),
      mean_reward_delay_(mean_reward_delay),
      random_(seed) {}

absl::Duration Workload::longest_reward_delay() const {
  return mean_reward_delay_ * kLongestRewardDelay;
}

Request Workload::Next() {
  Request request;
  const uint64_t user = random_.Below(kUsers);
  request.user = fmt::format("user-{}", user);
  request.device = user % 10 < 3 ? Device::kCamera : Device::kScanner;
  request.sample = static_cast<int>(random_.Below(samples_));
  request.contents =
      random_.Below(2) == 0 ? digits::Contents::kRaw : digits::Contents::kTyped;
  request.reward_delay =
      mean_reward_delay_ * std::min(random_.Exponential(), kLongestRewardDelay);
  request.gap = absl::Seconds(random_.Exponential() / rate_);
  return request;
}

}  // namespace bandit::demo
