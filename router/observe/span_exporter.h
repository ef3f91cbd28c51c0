// SPDX-License-Identifier: Apache-2.0
// Spans on their way to the collector: gathered into batches, sent one batch at
// a time, tried again with a growing back-off, dropped when too many wait.
#ifndef BANDIT_ROUTER_OBSERVE_SPAN_EXPORTER_H_
#define BANDIT_ROUTER_OBSERVE_SPAN_EXPORTER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "router/observe/call.h"
#include "router/observe/collector.h"
#include "router/observe/tally.h"

namespace bandit::observe {

// Thread-safety: one thread; the collector may answer on another.
// Determinism: the times given and the collector's answers; `seed` spreads the
// back-off of many routers.
class SpanExporter {
 public:
  // A batch is sent when it has so many spans, or the first is so old.
  static constexpr int kBatch = 512;
  static constexpr int64_t kLingerNs = 500'000'000;
  // Spans that wait, beside the batch on its way.
  static constexpr int kQueue = 4096;
  // A batch is tried this often, then given up.
  static constexpr int kTries = 6;
  static constexpr absl::Duration kTimeout = absl::Seconds(5);
  // Between tries: about 1, 2, 4, ... seconds.
  static constexpr int64_t kFirstBackoffNs = 1'000'000'000;
  static constexpr int64_t kMostBackoffNs = 30'000'000'000;

  struct Source {
    std::string service;  // service.name
    std::string version;  // Of the router.
  };

  // Ownership: borrows the tally.
  SpanExporter(std::unique_ptr<Collector> collector, const Source& source,
               uint64_t seed, Tally::Results* tally);
  ~SpanExporter();
  SpanExporter(const SpanExporter&) = delete;
  SpanExporter& operator=(const SpanExporter&) = delete;

  // REQUIRES: call.traced.
  void Add(const Call& call, int64_t now_ns);

  // Takes the collector's answer, and sends what is due.
  void Step(int64_t now_ns);

  // Sends what waits, each batch once, for at most `patience`. What is left
  // counts as failed when the exporter ends.
  void Flush(absl::Duration patience);

 private:
  class Batch;

  void TakeAnswer(int64_t now_ns);
  void OnAnswer(const Collector::Answer& answer, int64_t now_ns);
  void NextBatch();
  void Send(absl::Duration timeout);
  // The batch that is under way is over; `taken` of it arrived.
  void EndBatch(uint64_t taken);
  int64_t Backoff();
  void Say(const std::string& trouble);
  bool answered() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return answer_.has_value();
  }

  Tally::Results* const tally_;
  std::mt19937_64 random_;
  std::unique_ptr<Batch> waiting_;
  std::unique_ptr<Batch> sending_;  // Empty: nothing is on its way.
  int64_t waiting_since_ns_ = 0;
  bool in_flight_ = false;
  int tries_ = 0;     // Of the batch.
  int failures_ = 0;  // In a row, of any batch.
  int64_t next_try_ns_ = 0;
  std::string trouble_;  // As the log has it.

  absl::Mutex mutex_;
  // What the collector said of the call in flight.
  std::optional<Collector::Answer> answer_ ABSL_GUARDED_BY(mutex_);
  // Last: its end waits for the callback, which uses the rest.
  std::unique_ptr<Collector> collector_;
};

}  // namespace bandit::observe

#endif  // BANDIT_ROUTER_OBSERVE_SPAN_EXPORTER_H_
