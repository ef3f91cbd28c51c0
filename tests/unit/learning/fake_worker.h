// SPDX-License-Identifier: Apache-2.0
// A worker that has no thread: what the test counts is harvested at once.
#ifndef BANDIT_TESTS_UNIT_LEARNING_FAKE_WORKER_H_
#define BANDIT_TESTS_UNIT_LEARNING_FAKE_WORKER_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "router/learning/clock.h"
#include "router/learning/worker_port.h"

namespace bandit::testing {

// Thread-safety: any thread may call.
class FakeClock : public learning::Clock {
 public:
  explicit FakeClock(absl::Time now = absl::FromUnixSeconds(1'700'000'000))
      : now_(now) {}

  absl::Time Now() const override {
    absl::MutexLock lock(&mutex_);
    return now_;
  }
  void Advance(absl::Duration by) {
    absl::MutexLock lock(&mutex_);
    now_ += by;
  }

 private:
  mutable absl::Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
};

// Thread-safety: any thread may call.
class FakeWorker : public learning::WorkerPort {
 public:
  using Done = std::function<void(Deltas)>;

  explicit FakeWorker(std::shared_ptr<const learning::Snapshot> first)
      : snapshot_(std::move(first)), statistics_(snapshot_->plan) {}

  void Publish(std::shared_ptr<const learning::Snapshot> snapshot) override {
    absl::MutexLock lock(&mutex_);
    if (snapshot->plan != snapshot_->plan) {
      left_over_.push_back(statistics_.Take());
      statistics_ = learning::WorkerStatistics(snapshot->plan);
    }
    snapshot_ = std::move(snapshot);
    ++published_;
  }

  void Harvest(Done done) override {
    Deltas deltas;
    {
      absl::MutexLock lock(&mutex_);
      ++harvests_;
      if (hold_) {
        held_.push_back(std::move(done));
        return;
      }
      deltas = std::exchange(left_over_, {});
      deltas.push_back(statistics_.Take());
    }
    done(std::move(deltas));
  }

  void Count(absl::FunctionRef<void(learning::WorkerStatistics&)> count) {
    absl::MutexLock lock(&mutex_);
    count(statistics_);
  }

  // From now on questions are kept unanswered.
  void Hold() {
    absl::MutexLock lock(&mutex_);
    hold_ = true;
  }
  // Drops them uncalled, as a worker that stops does.
  void DropHeld() {
    std::vector<Done> held;
    absl::MutexLock lock(&mutex_);
    held.swap(held_);
  }
  // Answers the question that is held; blocks until there is one.
  void AnswerHeld() {
    std::vector<Done> held;
    Deltas deltas;
    {
      absl::MutexLock lock(&mutex_);
      const auto there = [&] {
        mutex_.AssertHeld();
        return !held_.empty();
      };
      mutex_.Await(absl::Condition(&there));
      held.swap(held_);
      hold_ = false;
      deltas.push_back(statistics_.Take());
    }
    held.at(0)(std::move(deltas));
  }

  // Blocks until so many snapshots were published, or questions asked, since
  // the start.
  void AwaitPublished(int count) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&] {
      mutex_.AssertHeld();
      return published_ >= count;
    };
    mutex_.Await(absl::Condition(&there));
  }
  void AwaitHarvests(int count) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&] {
      mutex_.AssertHeld();
      return harvests_ >= count;
    };
    mutex_.Await(absl::Condition(&there));
  }
  // A tick that began after this call has ended.
  void AwaitTick() {
    int now;
    {
      absl::MutexLock lock(&mutex_);
      now = harvests_;
    }
    AwaitHarvests(now + 3);
  }

  std::shared_ptr<const learning::Snapshot> snapshot() {
    absl::MutexLock lock(&mutex_);
    return snapshot_;
  }
  int published() {
    absl::MutexLock lock(&mutex_);
    return published_;
  }

 private:
  absl::Mutex mutex_;
  std::shared_ptr<const learning::Snapshot> snapshot_ ABSL_GUARDED_BY(mutex_);
  learning::WorkerStatistics statistics_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<learning::WorkerDelta>> left_over_
      ABSL_GUARDED_BY(mutex_);
  std::vector<Done> held_ ABSL_GUARDED_BY(mutex_);
  bool hold_ ABSL_GUARDED_BY(mutex_) = false;
  int published_ ABSL_GUARDED_BY(mutex_) = 0;
  int harvests_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace bandit::testing

#endif  // BANDIT_TESTS_UNIT_LEARNING_FAKE_WORKER_H_
