// SPDX-License-Identifier: Apache-2.0
// The thread that takes finished calls from the workers and writes them to the
// access log and to the trace collector. Nothing waits for it: a call that it
// cannot take is dropped and counted.
#ifndef BANDIT_ROUTER_OBSERVE_OBSERVER_H_
#define BANDIT_ROUTER_OBSERVE_OBSERVER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bandit/v1/config.pb.h"
#include "router/observe/collector.h"
#include "router/observe/log_file.h"
#include "router/observe/span_exporter.h"
#include "router/observe/tally.h"
#include "router/observe/tap.h"

namespace bandit::observe {

// Thread-safety: tally() from any thread; the rest from one.
class Observer {
 public:
  struct Options {
    std::string version;
    uint64_t seed = 0;  // Of ids and chance.
    // Unix time in nanoseconds. Any thread may call it.
    std::function<int64_t()> unix_ns;
    // How often calls are taken from the workers.
    absl::Duration poll = absl::Milliseconds(20);
    std::function<std::unique_ptr<Collector>(const std::string& address)>
        collector = GrpcCollector;
  };

  explicit Observer(Options options);
  // Stops.
  ~Observer();

  // For one more worker. Ownership: the observer's.
  // REQUIRES: before the first Use.
  Tap* AddTap();

  // What a config asks for, opened.
  struct Setup {
    std::optional<v1::TracingConfig> tracing;
    Shares shares;
    std::unique_ptr<LogFile> log;
  };
  // Opens the access log. Fails if that fails, and changes nothing.
  // REQUIRES: `config` passed config::Load.
  absl::StatusOr<Setup> Open(const v1::RouterConfig& config);

  // Goes on with it. The thread is started when there is first something to do.
  void Use(Setup setup);

  // Writes what the workers have handed in, gives the collector a second to
  // take its part, and ends the thread.
  // REQUIRES: no tap is in use any more.
  void Stop();

  const Tally& tally() const { return tally_; }

 private:
  void Run();
  // Waits for the next poll, or, while nothing is on, for something to do.
  void Wait();
  // False: it is time to end.
  bool TakeOrders();
  void DrainTaps();
  void SetUp(Setup setup);
  bool HasOrders() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return stop_ || next_.has_value();
  }

  const Options options_;
  Tally tally_;
  std::vector<std::unique_ptr<Tap>> taps_;

  // The thread's own.
  std::optional<v1::TracingConfig> tracing_;
  std::unique_ptr<SpanExporter> exporter_;
  std::unique_ptr<LogFile> log_;

  absl::Mutex mutex_;
  // What the thread is to do.
  std::optional<Setup> next_ ABSL_GUARDED_BY(mutex_);
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace bandit::observe

#endif  // BANDIT_ROUTER_OBSERVE_OBSERVER_H_
