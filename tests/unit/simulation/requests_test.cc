// SPDX-License-Identifier: Apache-2.0
#include "router/simulation/requests.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>

#include "stats/moments.h"
#include "tests/unit/simulation/fixture.h"

namespace bandit::simulation {
namespace {

using testing::ConfigOf;
using testing::Scene;
using testing::SceneOf;

constexpr std::string_view kArms =
    "arms: [{name: old, reward: {mean: 0.3}}, {name: new, reward: {mean: "
    "0.4}}]\n";

Scene SceneWith(std::string_view world, bool unit = true) {
  return SceneOf(
      ConfigOf("{name: fixed_split}",
               std::string(unit ? "    unit: {metadata: x-user}\n" : "") +
                   "    metrics: [{name: click, kind: binary}]\n"
                   "    context:\n"
                   "      features:\n"
                   "        - {name: device, metadata: x-device, categories: "
                   "[ios, web]}\n"
                   "        - {name: length, metadata: x-length, transform: "
                   "log1p, shift: 5, scale: 2}\n"),
      std::string(kArms) + std::string(world));
}

TEST(RequestsTest, TheSameRunHasTheSameRequestsAndAnotherOthers) {
  const Scene scene = SceneWith("");
  const auto text = [&](uint64_t seed, uint64_t run) {
    Requests requests(*scene.world, seed, run);
    std::string all;
    for (int i = 0; i < 100; ++i) {
      const Request& request = requests.Next();
      for (const http2::Header& header : request.headers) {
        all += header.value;
        all += ' ';
      }
      Random luck = request.luck;
      all += std::to_string(luck.Next());
    }
    return all;
  };
  EXPECT_EQ(text(1, 0), text(1, 0));
  EXPECT_NE(text(1, 0), text(1, 1));
  EXPECT_NE(text(1, 0), text(2, 0));
}

TEST(RequestsTest, UnitsComeBackAsOftenAsTheWorldSaysAndKeepTheirFeatures) {
  const Scene scene = SceneWith("units: {repeat: 0.8}\n");
  Requests requests(*scene.world, 1, 0);
  std::map<std::string, std::string> devices;
  int repeats = 0;
  constexpr int kRequests = 20'000;
  for (int i = 0; i < kRequests; ++i) {
    const Request& request = requests.Next();
    const std::string unit(http2::Find(request.headers, "x-user"));
    const std::string device(http2::Find(request.headers, "x-device"));
    const auto [known, fresh] = devices.emplace(unit, device);
    EXPECT_EQ(known->second, device);
    repeats += !fresh;
  }
  EXPECT_NEAR(repeats, 0.8 * kRequests, 4 * std::sqrt(0.16 * kRequests));
}

TEST(RequestsTest, ThereAreNoMoreUnitsThanTheWorldHas) {
  const Scene scene = SceneWith("units: {number: 7, repeat: 0}\n");
  Requests requests(*scene.world, 1, 0);
  std::set<std::string> units;
  for (int i = 0; i < 1000; ++i) {
    units.emplace(http2::Find(requests.Next().headers, "x-user"));
  }
  EXPECT_EQ(units.size(), 7u);
}

TEST(RequestsTest, FeaturesHaveTheirDistributions) {
  const Scene scene = SceneWith(
      "features:\n"
      "  device: {shares: {ios: 0.6, web: 0.1}}\n"
      "  length: {mean: 100, sd: 50, shape: lognormal, missing: 0.25}\n",
      /*unit=*/false);
  Requests requests(*scene.world, 1, 0);
  std::map<std::string, int> devices;
  stats::Moments lengths;
  int missing = 0;
  constexpr int kRequests = 50'000;
  for (int i = 0; i < kRequests; ++i) {
    const Request& request = requests.Next();
    ++devices[std::string(http2::Find(request.headers, "x-device"))];
    missing += http2::Find(request.headers, "x-length").data() == nullptr;
    const http2::Headers all =
        request.whole.empty() ? request.headers : request.whole;
    lengths.Add(std::stod(std::string(http2::Find(all, "x-length"))));
  }
  const auto error = [&](double p) {
    return 4 * std::sqrt(p * (1 - p) * kRequests);
  };
  EXPECT_NEAR(devices["ios"], 0.6 * kRequests, error(0.6));
  EXPECT_NEAR(devices["web"], 0.1 * kRequests, error(0.1));
  EXPECT_NEAR(devices[""], 0.3 * kRequests, error(0.3));
  EXPECT_NEAR(missing, 0.25 * kRequests, error(0.25));
  EXPECT_NEAR(lengths.mean(), 100, 4 * 50 / std::sqrt(kRequests));
  EXPECT_NEAR(std::sqrt(lengths.variance()), 50, 2);
}

// Of a feature that the world does not describe.
TEST(RequestsTest, AColumnIsStandardNormal) {
  const Scene scene = SceneWith("", /*unit=*/false);
  const experiment::FeatureEncoder& encoder = scene.experiment().features;
  Requests requests(*scene.world, 1, 0);
  std::vector<float> x(encoder.dimension());
  stats::Moments column;
  constexpr int kRequests = 50'000;
  for (int i = 0; i < kRequests; ++i) {
    EXPECT_EQ(encoder.Encode(requests.Next().headers, absl::MakeSpan(x)), 0u);
    column.Add(x.back());
  }
  // Cut at ln(1 + 0), which is 2.5 standard deviations below: E = 0.002.
  EXPECT_NEAR(column.mean(), 0.002, 4 / std::sqrt(kRequests));
  EXPECT_NEAR(column.variance(), 1, 0.03);
}

}  // namespace
}  // namespace bandit::simulation
