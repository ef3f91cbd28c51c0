// SPDX-License-Identifier: Apache-2.0
#include "router/simulation/run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "router/experiment/assignment.h"
#include "router/simulation/maturity.h"
#include "router/simulation/replica.h"
#include "router/simulation/requests.h"

namespace bandit::simulation {
namespace {

using experiment::Experiment;
using experiment::MetricSource;

// Any time will do that is a whole multiple of slices and ticks.
constexpr int64_t kStartSeconds = 1'000'000'000;
constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr double kNs = 1e9;
constexpr int64_t kNsPerMs = 1'000'000;
constexpr int kInternal = 13;  // gRPC's status of a request that fails.
// Means that differ by less are a tie, so that both are the best.
constexpr double kTie = 1e-12;

absl::Time At(int64_t ns) {
  return absl::FromUnixSeconds(kStartSeconds) + absl::Nanoseconds(ns);
}

// What comes back for a decision: the end of its call, or a reward.
struct Event {
  uint32_t replica = 0;
  bool reward = false;
  int64_t ns = 0;
  learning::Reward what;
  learning::CallRecord call;
};

class Runner {
 public:
  Runner(const World& world, std::shared_ptr<const experiment::Plan> plan,
         const RunOptions& options, uint64_t run)
      : world_(world),
        plan_(std::move(plan)),
        experiment_(plan_->experiments[0]),
        options_(options),
        run_(run),
        requests_(world, options.seed, run),
        exchange_(options.replicas),
        maturity_(world, kStartSeconds * kNsPerSecond),
        tick_ns_(absl::ToInt64Nanoseconds(options.tick)),
        values_(experiment_.arms.size()) {
    moments_ = std::min(options_.rounds, kMoments);
    last_from_ = options_.rounds - (options_.rounds + 9) / 10;
    trace_.true_sums.resize(values_.size());
    trace_.last_arms.resize(values_.size());
    last_tick_ = TickOf(TimeOf(options_.rounds - 1));
    for (const Part& part : world_.parts()) {
      measures_ |= part.source != MetricSource::kFeedback;
    }
  }

  absl::StatusOr<Trace> Go() {
    const bool exchanges =
        options_.replicas > 1 && options_.sync > absl::ZeroDuration();
    for (size_t r = 0; r < options_.replicas; ++r) {
      auto replica = Replica::Start(plan_, exchanges, Constant(),
                                    SeedOf({options_.seed, run_, 3, r}));
      if (!replica.ok()) return replica.status();
      replicas_.push_back(*std::move(replica));
    }
    int64_t synced = 0;
    while (decided_ < options_.rounds) {
      const int64_t tick = NextTick();
      const int64_t end = (tick + 1) * tick_ns_;
      DecideBefore(end);
      Deliver(tick);
      now_ns_ = end;
      maturity_.Pass(end);
      for (auto& replica : replicas_) replica->Settle(At(end));
      if (exchanges &&
          end - synced >= absl::ToInt64Nanoseconds(options_.sync)) {
        synced = end;
        Synchronize();
      }
      for (auto& replica : replicas_) {
        const absl::Status trained = replica->Train();
        if (!trained.ok()) return trained;
      }
    }
    for (size_t a = 0; a < values_.size(); ++a) {
      trace_.estimates.push_back(Estimate(a));
    }
    return std::move(trace_);
  }

 private:
  int64_t TimeOf(uint64_t request) const {
    return std::llround(static_cast<double>(request) / options_.rate * kNs);
  }
  int64_t TickOf(int64_t ns) const { return ns / tick_ns_; }

  // What sums are taken about: near the values, and the same everywhere.
  double Constant() const {
    std::vector<double> values(values_.size());
    const std::vector<float> x(experiment_.features.dimension());
    world_.Values(0, x, absl::MakeSpan(values));
    return values[experiment_.control];
  }

  // The first tick in which anything happens.
  int64_t NextTick() const {
    int64_t next = TickOf(TimeOf(decided_));
    if (!agenda_.empty()) next = std::min(next, agenda_.begin()->first);
    if (const auto due = maturity_.Next(); due.has_value()) {
      next = std::min(next, TickOf(*due - 1));
    }
    return std::max(next, TickOf(now_ns_));
  }

  void DecideBefore(int64_t end_ns) {
    while (decided_ < options_.rounds) {
      const int64_t ns = TimeOf(decided_);
      if (ns >= end_ns) return;
      Decide(ns);
      ++decided_;
    }
  }

  void Decide(int64_t ns) {
    const Request& request = requests_.Next();
    const auto r = static_cast<size_t>(request.replica *
                                       static_cast<double>(replicas_.size()));
    Replica& replica = *replicas_[r];
    experiment::Assign(experiment_, replica.model(),
                       policies::AllArms(experiment_.arms.size()),
                       request.headers, kStartSeconds * 1000 + ns / kNsPerMs,
                       replica.random(), &assignment_);
    const experiment::Decision& decision = assignment_.decision;
    replica.statistics().OnDecision(0, decision);
    maturity_.Await(ns);
    absl::Span<const float> x = decision.features;
    if (world_.contextual() && !request.whole.empty()) {
      truth_.resize(experiment_.features.dimension());
      experiment_.features.Encode(request.whole, absl::MakeSpan(truth_));
      x = truth_;
    }
    const double seconds = static_cast<double>(ns) / kNs;
    if (!world_.constant() || decided_ == 0) {
      world_.Values(seconds, x, absl::MakeSpan(values_));
    }
    Account(decision.arm);
    Serve(static_cast<uint32_t>(r), ns, x, request.luck);
  }

  // Regret and shares.
  void Account(uint32_t arm) {
    double best = -std::numeric_limits<double>::infinity();
    for (size_t a = 0; a < values_.size(); ++a) {
      best = std::max(best, world_.sign() * values_[a]);
      trace_.true_sums[a] += values_[a];
    }
    const double lacks = best - world_.sign() * values_[arm];
    const bool is_best = lacks <= kTie * std::max(1.0, std::abs(best));
    if (!is_best) regret_ += lacks;
    if (trace_.moments.empty() || decided_ >= moment_end_) {
      trace_.moments.emplace_back().arms.resize(values_.size());
      moment_end_ =
          DecisionsUntil(trace_.moments.size() - 1, moments_, options_.rounds);
    }
    Trace::Moment& moment = trace_.moments.back();
    moment.regret = regret_;
    moment.best += is_best ? 1 : 0;
    ++moment.arms[arm];
    if (decided_ < last_from_) return;
    ++trace_.last;
    trace_.last_best += is_best ? 1 : 0;
    ++trace_.last_arms[arm];
  }

  // The call, and the rewards that it brings. What is drawn does not depend on
  // the arm, so that policies share their luck.
  void Serve(uint32_t replica, int64_t ns, absl::Span<const float> x,
             Random luck) {
    const experiment::Decision& decision = assignment_.decision;
    const World::Arm& arm = world_.arms()[decision.arm];
    const bool failed = luck.Uniform() < arm.error;
    const int64_t answered = ns + std::llround(arm.latency.Draw(luck) * kNs);
    if (measures_) {
      Event event{.replica = replica, .ns = answered};
      event.what.decision = decision;
      event.call = {.code = failed ? kInternal : 0,
                    .latency_ns = answered - ns,
                    .ttfb_ns = failed ? -1 : answered - ns,
                    .response_bytes = failed ? 0 : arm.response_bytes};
      Schedule(std::move(event));
    }
    for (const Part& part : world_.parts()) {
      if (part.source != MetricSource::kFeedback) continue;
      const bool lost = luck.Uniform() < world_.lost();
      const double delay = world_.delay().Draw(luck);
      const double value =
          arm.values[part.metric]->Draw(static_cast<double>(ns) / kNs, x, luck);
      if (failed || lost) {
        ++trace_.lost;
        continue;
      }
      Event event{.replica = replica,
                  .reward = true,
                  .ns = answered + std::llround(delay * kNs)};
      event.what.decision = decision;
      // Where the reward is one metric, it needs no name.
      if (part.metric != experiment_.reward_metric) {
        event.what.metric = experiment_.metrics[part.metric].name;
      }
      event.what.value = value;
      Schedule(std::move(event));
    }
  }

  void Schedule(Event event) {
    // It is taken at the end of the tick in which it comes.
    const int64_t tick = TickOf(event.ns);
    if (tick <= last_tick_) {
      agenda_[tick].push_back(std::move(event));
    } else if (event.reward) {
      ++trace_.pending;
    }
  }

  void Deliver(int64_t tick) {
    while (!agenda_.empty() && agenda_.begin()->first <= tick) {
      for (const Event& event : agenda_.begin()->second) {
        Replica& replica = *replicas_[event.replica];
        if (!event.reward) {
          replica.statistics().OnFinish(0, event.what.decision, event.call);
        } else if (replica.Take(event.what, At(event.ns)) ==
                   learning::Outcome::kAccepted) {
          ++trace_.accepted;
        } else {
          ++trace_.late;
        }
      }
      agenda_.erase(agenda_.begin());
    }
  }

  void Synchronize() {
    for (size_t r = 0; r < replicas_.size(); ++r) {
      exchange_.Push(r, replicas_[r]->Own());
    }
    for (size_t r = 0; r < replicas_.size(); ++r) {
      replicas_[r]->Adopt(exchange_.Others(r));
    }
  }

  // The mean over replicas that have one.
  std::optional<double> Estimate(size_t arm) const {
    double sum = 0, found = 0;
    for (const auto& replica : replicas_) {
      const std::optional<double> estimate = replica->Estimate(arm);
      if (!estimate.has_value()) continue;
      sum += *estimate;
      found += 1;
    }
    return found > 0 ? std::optional<double>(sum / found) : std::nullopt;
  }

  const World& world_;
  std::shared_ptr<const experiment::Plan> plan_;
  const Experiment& experiment_;
  RunOptions options_;
  uint64_t run_;
  Requests requests_;
  Exchange exchange_;
  Maturity maturity_;
  int64_t tick_ns_;
  int64_t last_tick_ = 0;
  bool measures_ = false;
  std::vector<std::unique_ptr<Replica>> replicas_;

  int64_t now_ns_ = 0;
  uint64_t decided_ = 0;
  std::map<int64_t, std::vector<Event>> agenda_;  // By tick.
  experiment::Assignment assignment_;
  std::vector<float> truth_;
  std::vector<double> values_;
  double regret_ = 0;
  uint64_t moments_ = 0;
  uint64_t moment_end_ = 0;
  uint64_t last_from_ = 0;
  Trace trace_;
};

}  // namespace

absl::StatusOr<Trace> Run(const World& world,
                          const std::shared_ptr<const experiment::Plan>& plan,
                          const RunOptions& options, uint64_t run) {
  return Runner(world, plan, options, run).Go();
}

}  // namespace bandit::simulation
