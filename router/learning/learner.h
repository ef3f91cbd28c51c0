// SPDX-License-Identifier: Apache-2.0
// The learner: one thread, the only writer of learned state.
//
// Each tick it takes the workers' statistics, writes them down, prepares the
// models and publishes them. Rewards do not wait for the tick: they are
// committed in groups, the next group when the last has ended, so that a lone
// reward waits for one write to disk and a flood shares it.
#ifndef BANDIT_ROUTER_LEARNING_LEARNER_H_
#define BANDIT_ROUTER_LEARNING_LEARNER_H_

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "router/guardrails/experiment_guard.h"
#include "router/learning/bookkeeper.h"
#include "router/learning/clock.h"
#include "router/learning/errands.h"
#include "router/learning/guard_house.h"
#include "router/learning/harvester.h"
#include "router/learning/recent_shares.h"
#include "router/learning/request_join.h"
#include "router/learning/reward.h"
#include "router/learning/reward_queue.h"
#include "router/learning/silence.h"
#include "router/learning/snapshot.h"
#include "router/learning/steward.h"
#include "router/learning/telemetry.h"
#include "router/learning/trainer.h"
#include "router/learning/view.h"
#include "router/learning/waiting_rewards.h"
#include "router/store/state_store.h"

namespace bandit::learning {

// Life: Create, then Start once the workers run, then Stop while they still
// run. A failing store refuses rewards and says so (`degraded`); decisions are
// counted and models prepared as before, and it is tried again each tick.
// Thread-safety: Submit, JoinsRequests, CountForged, Adopt, Reinstate,
// Inspect, Ask, snapshot, view, degraded, telemetry and queue_length from any
// thread; the rest from one.
class Learner : public RewardSink {
 public:
  struct Options {
    absl::Duration tick = absl::Milliseconds(100);
    size_t queue = 100'000;
    absl::Duration silence_warning = absl::Minutes(5);
  };

  // Restores what the store holds and prepares the first models. `clock` is
  // borrowed. Fails as Bookkeeper::Open and Trainer::Start do.
  static absl::StatusOr<std::unique_ptr<Learner>> Create(
      std::unique_ptr<store::StateStore> store,
      const std::shared_ptr<const experiment::Plan>& plan,
      const ExperimentRecords& records, const Options& options,
      const Clock* clock);

  // Stops if Stop was not called.
  ~Learner() override;

  // Never null. The workers' first snapshot; later ones go to their ports.
  std::shared_ptr<const Snapshot> snapshot() const;

  // Called on the learner's thread when rewards begin to be refused (false)
  // because the store fails, and when they are taken again (true).
  // REQUIRES: before Start.
  void WatchStore(std::function<void(bool works)> watcher) {
    store_watcher_ = std::move(watcher);
  }

  // Called on the learner's thread with each thing that guardrails do; must not
  // block. REQUIRES: before Start.
  void WatchGuardrails(
      std::function<void(const guardrails::Transition&)> watcher) {
    guard_watcher_ = std::move(watcher);
  }

  // Starts the thread. Ownership: borrows the ports until Stop.
  void Start(std::vector<WorkerPort*> workers);

  // Takes no more rewards, answers those it has, harvests the workers a last
  // time, commits, and ends the thread.
  void Stop();

  absl::Status Submit(std::vector<Reward> rewards, RewardsDone done) override;
  bool JoinsRequests() const override {
    // Relaxed: it may come a reload late, as the reward may.
    return joins_requests_.load(std::memory_order_relaxed);
  }
  void CountForged(size_t rewards) override;

  // A config, compiled with the epochs that it gives the known experiments.
  struct Compiled {
    std::shared_ptr<const experiment::Plan> plan;
    ExperimentRecords records;
    Options options;
  };
  using Compile =
      std::function<absl::StatusOr<Compiled>(const ExperimentRecords& known)>;

  // Goes on with the plan that `compile` makes and publishes it to the
  // workers. Runs on the learner's thread and blocks until that is done.
  // Fails with `compile`'s error or as Bookkeeper::Adopt and Trainer::Start
  // do, and changes nothing then; Unavailable if the thread is not running.
  absl::Status Adopt(const Compile& compile);

  // Undoes what guardrails did to an experiment: its arms are active again, a
  // roll-back ends. `why`, and who, are for the log. Runs on the learner's
  // thread and blocks until that is done.
  // Fails with NotFound if there is no such experiment, Unavailable if the
  // thread is not running.
  absl::Status Reinstate(std::string_view experiment, const std::string& why);

  // Calls `look` on the learner's thread between two transactions, with the
  // ledger and the last tick's view of it, and blocks until that is done. For
  // a short look: learning waits for it.
  // Fails with Unavailable if the thread is not running.
  using Look = std::function<void(const Ledger& ledger, const View& view)>;
  absl::Status Inspect(const Look& look);
  // What can be done on the learner's thread alone: acts on experiments, and
  // questions to the store.
  struct Desk {
    // Does what is asked, or `approve`s what waits, as Steward::Do and
    // Steward::Approve do; a reset too, which fails as Adopt does.
    std::function<absl::StatusOr<Life>(const ActRequest& request, bool approve)>
        act;
    const Steward& steward;
    store::StateStore& store;
    absl::Time now;
  };
  using Errand = std::function<void(Desk* desk)>;

  // Runs the errand on the learner's thread, then publishes what it changed,
  // then calls `done`, if any. `desk` is null, and both are called at once, if
  // the thread does not run.
  void Ask(Errand errand, std::function<void()> done);

  std::shared_ptr<const View> view() const;
  // Why the learning side is degraded; empty when it is well.
  std::string degraded() const;
  const Telemetry& telemetry() const { return telemetry_; }
  // Rewards that wait for their transaction, or before for their decision.
  size_t queue_length() const { return queue_.size(); }

 private:
  Learner(std::unique_ptr<store::StateStore> store, const Options& options,
          const Clock* clock);

  static absl::Duration PatienceOf(const Options& options) {
    return std::max(absl::Seconds(5), 10 * options.tick);
  }

  void Run();
  void RunLastTick();
  absl::Status AdoptNow(const Compile& compile);
  // Goes on with the plan, all but the end of the tick.
  absl::Status Follow(const Compiled& compiled,
                      const Bookkeeper::Beside& beside = {});
  absl::StatusOr<Life> Act(const ActRequest& request, bool approve);
  void UseJoin(const experiment::Plan& plan);
  void Count();
  std::vector<RewardBatch> NextBatches();
  // `close`: what is measured for reports is written now, too.
  void Settle(std::vector<RewardBatch> batches, bool close = false);
  void EndTick();
  // Looks at the guardrails and lets the snapshot and life cycles follow.
  void Guard(absl::Time now, bool last);
  // Ends what guardrails hold against experiments that a person let run again.
  void ReleaseResumed(absl::Time now);
  void Tell(const guardrails::Transition& transition);
  // The newest snapshot to the workers, the view to who asks.
  void Publish();
  // Keeps `trouble` and logs when there begins or ceases to be one.
  void Say(std::string* trouble, std::string now, std::string_view healed);
  bool stopping() const;

  const Clock* const clock_;
  const std::unique_ptr<store::StateStore> store_;
  const std::shared_ptr<Wakeup> wakeup_;

  // The learner's thread only, once it runs.
  Options options_;
  std::unique_ptr<Bookkeeper> bookkeeper_;
  std::unique_ptr<Trainer> trainer_;
  std::unique_ptr<Steward> steward_;
  std::unique_ptr<Harvester> harvester_;
  std::unique_ptr<GuardHouse> guards_;
  SilenceMonitor silence_;
  absl::Time counted_through_ = absl::InfinitePast();
  uint64_t harvested_ = 0;  // The last harvest that is counted, all of it.
  RequestJoin join_;
  WaitingRewards waiting_;
  std::function<void(bool works)> store_watcher_;
  std::function<void(const guardrails::Transition&)> guard_watcher_;
  std::string store_trouble_;
  std::string guard_trouble_;
  std::string training_trouble_;
  std::string ramp_trouble_;
  RecentShares shares_;

  // Self-synchronized.
  RewardQueue queue_;
  Telemetry telemetry_;
  Errands errands_;
  std::atomic<bool> joins_requests_ = false;

  // What other threads read.
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const View> view_ ABSL_GUARDED_BY(mutex_);
  std::string degraded_ ABSL_GUARDED_BY(mutex_);
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  // A tick that takes longer than this is worth saying.
  absl::Duration patience_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_LEARNER_H_
