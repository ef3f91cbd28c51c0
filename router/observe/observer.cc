// SPDX-License-Identifier: Apache-2.0
#include "router/observe/observer.h"

#include <pthread.h>

#include <chrono>
#include <random>
#include <utility>

#include "router/observe/access_line.h"

namespace bandit::observe {
namespace {

constexpr absl::Duration kLastFlush = absl::Seconds(1);

int64_t SteadyNs() {
  return std::chrono::steady_clock::now().time_since_epoch() /
         std::chrono::nanoseconds(1);
}

bool Same(const std::optional<v1::TracingConfig>& a,
          const std::optional<v1::TracingConfig>& b) {
  return a.has_value() && b.has_value() && a->collector() == b->collector() &&
         a->service_name() == b->service_name();
}

}  // namespace

Observer::Observer(Options options) : options_(std::move(options)) {}

Observer::~Observer() { Stop(); }

Tap* Observer::AddTap() {
  std::seed_seq spread{options_.seed, options_.seed >> 32, taps_.size()};
  uint32_t words[2];
  spread.generate(std::begin(words), std::end(words));
  const uint64_t seed = uint64_t{words[0]} << 32 | words[1];
  taps_.push_back(std::make_unique<Tap>(seed, options_.unix_ns, &tally_));
  return taps_.back().get();
}

absl::StatusOr<Observer::Setup> Observer::Open(const v1::RouterConfig& config) {
  Setup setup;
  if (config.has_tracing()) {
    setup.tracing = config.tracing();
    setup.shares.traced = config.tracing().sample();
  }
  if (config.has_access_log()) {
    auto log = LogFile::Open(config.access_log().path(), &tally_.lines);
    if (!log.ok()) return log.status();
    setup.log = *std::move(log);
    setup.shares.logged = config.access_log().sample();
  }
  return setup;
}

void Observer::Use(Setup setup) {
  for (const auto& tap : taps_) tap->Configure(setup.shares);
  const bool needed = setup.shares.any();
  {
    absl::MutexLock lock(&mutex_);
    next_ = std::move(setup);
  }
  if (needed && !thread_.joinable()) {
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "observer");
      Run();
    });
  }
}

void Observer::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void Observer::Run() {
  while (TakeOrders()) {
    DrainTaps();
    const int64_t now = SteadyNs();
    if (log_ != nullptr) log_->Flush(now);
    if (exporter_ != nullptr) exporter_->Step(now);
    Wait();
  }
  DrainTaps();
  SetUp({});
}

void Observer::Wait() {
  const bool on = log_ != nullptr || exporter_ != nullptr;
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(this, &Observer::HasOrders),
                          on ? options_.poll : absl::InfiniteDuration());
}

bool Observer::TakeOrders() {
  std::optional<Setup> next;
  {
    absl::MutexLock lock(&mutex_);
    next.swap(next_);
    if (!next.has_value()) return !stop_;
  }
  // What was handed in by now was meant for the old ones, if there are any.
  if (log_ != nullptr || exporter_ != nullptr) DrainTaps();
  SetUp(*std::move(next));
  return true;
}

void Observer::DrainTaps() {
  const int64_t now = SteadyNs();
  std::string line;
  for (const auto& tap : taps_) {
    // No more than there was: a busy worker must not keep the others waiting.
    tap->Drain(Tap::kCapacity, [&](const Call& call) {
      if (call.logged && log_ != nullptr) {
        line.clear();
        AppendAccessLine(call, &line);
        log_->Add(line);
      } else if (call.logged) {
        tally_.lines.dropped.Add(1);
      }
      if (call.traced && exporter_ != nullptr) {
        exporter_->Add(call, now);
      } else if (call.traced) {
        tally_.spans.dropped.Add(1);
      }
    });
  }
}

void Observer::SetUp(Setup setup) {
  if (log_ != nullptr) log_->Flush(SteadyNs());
  log_ = std::move(setup.log);
  if (Same(tracing_, setup.tracing)) return;
  if (exporter_ != nullptr) exporter_->Flush(kLastFlush);
  exporter_.reset();
  tracing_ = std::move(setup.tracing);
  if (!tracing_.has_value()) return;
  exporter_ = std::make_unique<SpanExporter>(
      options_.collector(tracing_->collector()),
      SpanExporter::Source{.service = tracing_->service_name(),
                           .version = options_.version},
      options_.seed, &tally_.spans);
}

}  // namespace bandit::observe
