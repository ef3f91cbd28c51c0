// SPDX-License-Identifier: Apache-2.0
#include "examples/demo/workload.h"

#include <map>
#include <set>
#include <string>

#include "gtest/gtest.h"

namespace bandit::demo {
namespace {

constexpr int kRequests = 20000;
constexpr absl::Duration kDelay = absl::Milliseconds(300);

TEST(WorkloadTest, IsFixedByItsSeed) {
  Workload a(599, 150, kDelay, 7), b(599, 150, kDelay, 7),
      c(599, 150, kDelay, 8);
  int differences = 0;
  for (int i = 0; i < 100; ++i) {
    const Request x = a.Next(), y = b.Next(), z = c.Next();
    EXPECT_EQ(x.user, y.user);
    EXPECT_EQ(x.sample, y.sample);
    EXPECT_EQ(x.reward_delay, y.reward_delay);
    EXPECT_EQ(x.gap, y.gap);
    differences += x.sample != z.sample ? 1 : 0;
  }
  EXPECT_GT(differences, 90);
}

// Tolerances: five standard errors of the mean over kRequests.
TEST(WorkloadTest, HasTheStatedRateDevicesAndDelays) {
  Workload workload(599, 150, kDelay, 1);
  double camera = 0, typed = 0;
  absl::Duration gaps, delays;
  std::set<int> samples;
  std::map<std::string, std::set<Device>> devices;
  for (int i = 0; i < kRequests; ++i) {
    const Request request = workload.Next();
    ASSERT_GE(request.sample, 0);
    ASSERT_LT(request.sample, 599);
    ASSERT_GE(request.reward_delay, absl::ZeroDuration());
    ASSERT_LE(request.reward_delay, 5 * kDelay);
    samples.insert(request.sample);
    devices[request.user].insert(request.device);
    camera += request.device == Device::kCamera ? 1 : 0;
    typed += request.contents == digits::Contents::kTyped ? 1 : 0;
    gaps += request.gap;
    delays += request.reward_delay;
  }
  EXPECT_NEAR(camera / kRequests, 0.3, 0.017);
  EXPECT_NEAR(typed / kRequests, 0.5, 0.018);
  EXPECT_NEAR(absl::ToDoubleSeconds(gaps) / kRequests, 1 / 150.0, 0.00024);
  EXPECT_NEAR(absl::ToDoubleSeconds(delays) / kRequests, 0.3, 0.011);
  EXPECT_EQ(samples.size(), 599u);
  for (const auto& [user, of_user] : devices) {
    EXPECT_EQ(of_user.size(), 1u) << user;
  }
}

}  // namespace
}  // namespace bandit::demo
