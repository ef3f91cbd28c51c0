// SPDX-License-Identifier: Apache-2.0
// Who asks what, and when: the demo's traffic, fixed by a seed.
#ifndef BANDIT_EXAMPLES_DEMO_WORKLOAD_H_
#define BANDIT_EXAMPLES_DEMO_WORKLOAD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "examples/digits/dataset.h"
#include "examples/digits/random.h"
#include "examples/digits/tensors.h"

namespace bandit::demo {

// What took the picture. Sent as metadata `x-device`.
enum class Device : size_t { kScanner = 0, kCamera = 1 };
inline constexpr std::array<Device, 2> kDevices = {Device::kScanner,
                                                   Device::kCamera};
std::string_view DeviceName(Device device);

struct Request {
  // "user-17"; sent as `x-user-id`.
  std::string user;
  Device device = Device::kScanner;
  // Index of a held-out sample.
  int sample = 0;
  digits::Contents contents = digits::Contents::kRaw;
  // From the response to the reward: exponential, cut off at five times its
  // mean.
  absl::Duration reward_delay;
  // To the next request: exponential, so that arrivals are a Poisson process.
  absl::Duration gap;
};

// Users with one device each, three in ten a camera, who all ask equally often
// for random samples.
// Thread-safety: none.   Determinism: the arguments fix the sequence.
class Workload {
 public:
  // REQUIRES: samples > 0, rate > 0 (requests per second).
  Workload(int samples, double rate, absl::Duration mean_reward_delay,
           uint64_t seed);
  Request Next();
  absl::Duration longest_reward_delay() const;

 private:
  int samples_;
  double rate_;
  absl::Duration mean_reward_delay_;
  digits::Random random_;
};

}  // namespace bandit::demo

#endif  // BANDIT_EXAMPLES_DEMO_WORKLOAD_H_
