// SPDX-License-Identifier: Apache-2.0
#include "router/guardrails/detector.h"

#include <cmath>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "router/guardrails/evidence.h"
#include "tests/unit/guardrails/rules.h"

namespace bandit::guardrails {
namespace {

const double kNeeded = -std::log(0.01);

// The shares of all tests together are the whole level, and no more.
TEST(LogShareTest, SumsToOne) {
  double sum = 0;
  constexpr uint64_t kMany = 1'000'000;
  for (uint64_t k = 1; k <= kMany; ++k) sum += std::exp(LogShare(k));
  // The rest is f(kMany + 1) = 1 / (1 + ln(kMany + 1)).
  EXPECT_NEAR(sum + 1 / (1 + std::log(kMany + 1.0)), 1, 1e-9);
  // It stays a number where f(k) - f(k + 1) would cancel.
  EXPECT_GT(LogShare(uint64_t{1} << 60), -60);
}

TEST(DetectorTest, SaysNothingWithoutObservations) {
  Detector detector({}, {}, kStart);
  for (int i = 1; i < 1000; ++i) {
    EXPECT_LT(detector.Look(ErrorRule(), {}, {}, kStart + absl::Seconds(i)), 0);
  }
  EXPECT_EQ(detector.starts().size(), 1);
}

// Observations that were there before it are not its own.
TEST(DetectorTest, BeginsWithWhatComes) {
  const Sums past = Hits(500, 1000);
  Detector detector(past, {}, kStart);
  EXPECT_LT(detector.Look(ErrorRule(), past, {}, kStart + absl::Seconds(1)), 0);
}

struct Outcome {
  int requests = 0;  // Until the alarm.
  size_t most_tests = 0;
};

// 1 % errors for `healthy` requests, then 10 %; 10 requests a tick of 100 ms.
Outcome AfterHealthy(int healthy, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::bernoulli_distribution well(0.01);
  std::bernoulli_distribution ill(0.1);
  Detector detector({}, {}, kStart);
  Sums sums;
  Outcome outcome;
  for (int n = 10;; n += 10) {
    for (int i = 0; i < 10; ++i) {
      const bool hit = n > healthy ? ill(random) : well(random);
      sums += Hits(hit ? 1 : 0, 1);
    }
    const double evidence = detector.Look(ErrorRule(), sums, {},
                                          kStart + absl::Milliseconds(10 * n));
    outcome.most_tests = std::max(outcome.most_tests, detector.starts().size());
    if (evidence < kNeeded) continue;
    outcome.requests = n - healthy;
    return outcome;
  }
}

TEST(DetectorTest, FindsALateRegressionAlmostAsSoonAsAnEarlyOne) {
  double early = 0;
  double late = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    early += AfterHealthy(0, seed).requests;
    late += AfterHealthy(300'000, seed).requests;
  }
  EXPECT_GT(early, 0);
  EXPECT_GT(late, 0);
  // ln(1 / w_k) of the 3,000th test costs about twice what the level does.
  EXPECT_LT(late, 4 * early);
}

TEST(DetectorTest, KeepsFewTests) {
  EXPECT_LE(AfterHealthy(300'000, 3).most_tests, Detector::kMostTests);
}

// At the bound itself old tests linger: the hardest case for their number.
TEST(DetectorTest, KeepsFewTestsAtTheBound) {
  std::mt19937_64 random(9);
  std::bernoulli_distribution hit(0.02);
  Detector detector({}, {}, kStart);
  Sums sums;
  for (int tick = 1; tick < 3000; ++tick) {
    for (int i = 0; i < 60; ++i) sums += Hits(hit(random) ? 1 : 0, 1);
    detector.Look(ErrorRule(), sums, {}, kStart + absl::Seconds(tick));
    ASSERT_LE(detector.starts().size(), Detector::kMostTests);
  }
  EXPECT_EQ(detector.started(), 3000);
}

TEST(DetectorTest, IsTheWeightedSumOfItsTests) {
  Detector detector({}, {}, kStart);
  detector.Look(ErrorRule(), Hits(1, 60), {}, kStart + absl::Seconds(2));
  ASSERT_EQ(detector.starts().size(), 2);
  const Sums now = Hits(4, 100);
  const double got =
      detector.Look(ErrorRule(), now, {}, kStart + absl::Seconds(2.5));
  const double first = LogShare(1) + LogEvidence(ErrorRule(), now, {});
  const double second =
      LogShare(2) + LogEvidence(ErrorRule(), now - Hits(1, 60), {});
  EXPECT_NEAR(got, std::log(std::exp(first) + std::exp(second)), 1e-9);
}

// An asymptotic test is not begun again and again.
TEST(DetectorTest, RunsOneTestWhereItIsAsymptotic) {
  Rule rule{
      .name = "", .metric = "cost", .measure = Measure::kMean, .bound = 10};
  Detector detector({}, {}, kStart);
  Sums sums;
  for (int i = 1; i < 50; ++i) {
    sums += {.count = 100, .sum = 900, .squares = 8200};
    detector.Look(rule, sums, {}, kStart + absl::Minutes(i));
  }
  EXPECT_EQ(detector.starts().size(), 1);
  EXPECT_EQ(detector.started(), 1);
}

}  // namespace
}  // namespace bandit::guardrails
