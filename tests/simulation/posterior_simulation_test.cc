// SPDX-License-Identifier: Apache-2.0
// With truths drawn from the prior, what posteriors expect is what happens:
// losses, the best arm, the better side of a lift, the mass of an interval.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "gtest/gtest.h"
#include "stats/best_arm.h"
#include "stats/expected_loss.h"
#include "stats/posterior.h"
#include "tests/simulation/draws.h"

namespace bandit::stats {
namespace {

// What was expected against what happened, run by run.
class Balance {
 public:
  void Add(double expected, double happened) {
    expected_.Add(expected);
    off_.Add(happened - expected);
  }
  // Within four standard errors of the difference.
  void Check(const char* what) const {
    const double error = std::sqrt(off_.variance() / off_.count);
    std::printf("%-40s expected %.5f, happened %.5f +- %.5f\n", what,
                expected_.mean(), expected_.mean() + off_.mean(), error);
    EXPECT_GT(error, 0) << what;
    EXPECT_NEAR(off_.mean(), 0, 4 * error) << what;
  }

 private:
  Moments expected_;
  Moments off_;
};

// One decision between arms whose true means are known to the simulation.
struct Choice {
  Balance loss;   // Of the arm with the least expected loss.
  Balance best;   // Whether the likeliest best arm is the best.
  Balance worst;  // Loss of the arm that looks worst: not only small losses.

  template <typename Posterior>
  void Add(const std::vector<Posterior>& posteriors,
           const std::vector<double>& truths) {
    const std::vector<double> losses = ExpectedLoss(posteriors);
    const std::vector<double> bests = ProbabilityBest(posteriors);
    const auto at = [](const auto& values, auto found) {
      return static_cast<size_t>(found - values.begin());
    };
    const double top = *std::max_element(truths.begin(), truths.end());
    const size_t chosen =
        at(losses, std::min_element(losses.begin(), losses.end()));
    loss.Add(losses[chosen], top - truths[chosen]);
    const size_t dropped =
        at(losses, std::max_element(losses.begin(), losses.end()));
    worst.Add(losses[dropped], top - truths[dropped]);
    const size_t likeliest =
        at(bests, std::max_element(bests.begin(), bests.end()));
    best.Add(bests[likeliest], truths[likeliest] == top ? 1 : 0);
  }
  void Check() const {
    loss.Check("loss of the chosen arm");
    worst.Check("loss of the arm that looks worst");
    best.Check("the likeliest best arm is the best");
  }
};

TEST(PosteriorSimulation, RatesAreWhatTheirPosteriorsSay) {
  Choice choice;
  Balance covered;
  for (int run = 0; run < kRuns / 5; ++run) {
    Uniform uniform(40 + run);
    std::vector<double> rates;
    std::vector<BetaPosterior> posteriors;
    for (int arm = 0; arm < 3; ++arm) {
      // Beta(2, 1) is the square root of a uniform.
      rates.push_back(std::sqrt(uniform()));
      const double successes =
          DrawSuccesses(uniform, 60, rates.back()).successes;
      posteriors.push_back({2 + successes, 1 + 60 - successes});
    }
    choice.Add(posteriors, rates);
    covered.Add(0.9, CredibleInterval(posteriors[0], 0.9).Contains(rates[0]));
  }
  choice.Check();
  covered.Check("credible interval of a rate, 90 %");
}

// Arms that are known more and less well, and a prior that is not centred.
TEST(PosteriorSimulation, MeansAreWhatTheirPosteriorsSay) {
  constexpr NormalPosterior kPrior{2, 0.25};
  constexpr double kErrors[] = {0.2, 0.4, 0.4, 1.5};
  Choice choice;
  Balance covered;
  for (int run = 0; run < kRuns / 5; ++run) {
    Uniform uniform(50000 + run);
    std::vector<double> means;
    std::vector<NormalPosterior> posteriors;
    for (const double error : kErrors) {
      means.push_back(kPrior.mean + 0.5 * DrawNormal(uniform));
      const double estimate = means.back() + error * DrawNormal(uniform);
      posteriors.push_back(UpdateNormal(kPrior, estimate, error));
    }
    choice.Add(posteriors, means);
    covered.Add(0.9, CredibleInterval(posteriors[3], 0.9).Contains(means[3]));
  }
  choice.Check();
  covered.Check("credible interval of a mean, 90 %");
}

TEST(PosteriorSimulation, LiftsAreWhatTheirVerdictsSay) {
  constexpr NormalPosterior kPrior{0.02, 0.05 * 0.05};
  Balance better;
  Balance shipped;
  Balance kept;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(90000 + run);
    const double lift = kPrior.mean + 0.05 * DrawNormal(uniform);
    const double estimate = lift + 0.04 * DrawNormal(uniform);
    const LiftVerdict verdict = JudgeLift(UpdateNormal(kPrior, estimate, 0.04));
    better.Add(verdict.probability_better, lift > 0 ? 1 : 0);
    shipped.Add(verdict.loss_treatment, std::max(0.0, -lift));
    kept.Add(verdict.loss_control, std::max(0.0, lift));
  }
  better.Check("treatment better");
  shipped.Check("loss by shipping");
  kept.Check("loss by keeping control");
}

// Why posteriors are no test: the same data looked at until "95 % sure".
TEST(PosteriorSimulation, PeekingAtAPosteriorKeepsNoErrorRate) {
  Share once;
  Share ever;
  for (int run = 0; run < kRuns / 10; ++run) {
    Uniform uniform(130000 + run);
    Successes arms[2];
    double sure = 0;
    bool found = false;
    for (int look = 0; look < 20; ++look) {
      std::vector<BetaPosterior> posteriors;
      for (Successes& arm : arms) {
        const Successes more = DrawSuccesses(uniform, 200, 0.3);
        arm.trials += more.trials;
        arm.successes += more.successes;
        posteriors.push_back(
            {1 + arm.successes, 1 + arm.trials - arm.successes});
      }
      sure = ProbabilityBest(posteriors)[1];
      found |= sure > 0.95;
    }
    once.Count(sure > 0.95);
    ever.Count(found);
  }
  EXPECT_NEAR(once.Print("A/A, 95 % sure at the end"), 0.05,
              Error(0.05, kRuns / 10));
  EXPECT_GT(ever.Print("A/A, 95 % sure at one of 20 looks"), 0.1);
}

}  // namespace
}  // namespace bandit::stats
