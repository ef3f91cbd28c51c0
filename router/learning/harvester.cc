// SPDX-License-Identifier: Apache-2.0
#include "router/learning/harvester.h"

#include <algorithm>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace bandit::learning {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(1);

}  // namespace

// Shared with the answers under way.
struct Harvester::Mailbox {
  struct Worker {
    bool asked = false;
    bool gone = false;
    absl::Time counted_through;
    uint64_t answered = 0;  // The harvest that it last answered.
  };

  std::shared_ptr<Wakeup> wakeup;
  absl::Mutex mutex;
  std::vector<Worker> workers ABSL_GUARDED_BY(mutex);
  std::vector<std::unique_ptr<WorkerDelta>> deltas ABSL_GUARDED_BY(mutex);
};

// One question to one worker. Dropped without an answer, it says that the
// worker has gone.
class Harvester::Ticket {
 public:
  Ticket(std::shared_ptr<Mailbox> mailbox, size_t worker, uint64_t harvest,
         absl::Time asked)
      : mailbox_(std::move(mailbox)),
        worker_(worker),
        harvest_(harvest),
        asked_(asked) {}
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;

  ~Ticket() {
    if (!answered_) Close({});
  }

  void Answer(WorkerPort::Deltas deltas) {
    answered_ = true;
    Close(std::move(deltas));
  }

 private:
  void Close(WorkerPort::Deltas deltas) {
    {
      absl::MutexLock lock(&mailbox_->mutex);
      Mailbox::Worker& worker = mailbox_->workers[worker_];
      worker.asked = false;
      worker.gone = !answered_;
      worker.counted_through = asked_;
      worker.answered = harvest_;
      for (auto& delta : deltas) {
        mailbox_->deltas.push_back(std::move(delta));
      }
    }
    mailbox_->wakeup->Ring();
  }

  std::shared_ptr<Mailbox> mailbox_;
  size_t worker_;
  uint64_t harvest_;
  absl::Time asked_;
  bool answered_ = false;
};

Harvester::Harvester(std::vector<WorkerPort*> ports,
                     std::shared_ptr<Wakeup> wakeup, absl::Time now)
    : ports_(std::move(ports)), mailbox_(std::make_shared<Mailbox>()) {
  absl::MutexLock lock(&mailbox_->mutex);
  mailbox_->wakeup = std::move(wakeup);
  mailbox_->workers.resize(ports_.size());
  for (Mailbox::Worker& worker : mailbox_->workers) {
    worker.counted_through = now;
  }
}

void Harvester::Ask(absl::Time now) {
  ++asked_;
  for (size_t i = 0; i < ports_.size(); ++i) {
    {
      absl::MutexLock lock(&mailbox_->mutex);
      Mailbox::Worker& worker = mailbox_->workers[i];
      if (worker.asked || worker.gone) continue;
      worker.asked = true;
    }
    // Outside the lock: the answer may come at once.
    auto ticket = std::make_shared<Ticket>(mailbox_, i, asked_, now);
    ports_[i]->Harvest([ticket](WorkerPort::Deltas deltas) {
      ticket->Answer(std::move(deltas));
    });
  }
}

bool Harvester::Complete() const {
  absl::MutexLock lock(&mailbox_->mutex);
  return std::none_of(mailbox_->workers.begin(), mailbox_->workers.end(),
                      [](const auto& worker) { return worker.asked; });
}

std::vector<std::unique_ptr<WorkerDelta>> Harvester::Take() {
  absl::MutexLock lock(&mailbox_->mutex);
  return std::exchange(mailbox_->deltas, {});
}

absl::Time Harvester::CountedThrough(absl::Time now) const {
  absl::MutexLock lock(&mailbox_->mutex);
  absl::Time through = now;
  for (const Mailbox::Worker& worker : mailbox_->workers) {
    if (!worker.gone) through = std::min(through, worker.counted_through);
  }
  return std::max(through, now - kPatience);
}

uint64_t Harvester::Answered() const {
  absl::MutexLock lock(&mailbox_->mutex);
  uint64_t answered = asked_;
  for (const Mailbox::Worker& worker : mailbox_->workers) {
    if (!worker.gone) answered = std::min(answered, worker.answered);
  }
  return answered;
}

void Harvester::Publish(const std::shared_ptr<const Snapshot>& snapshot) const {
  for (WorkerPort* port : ports_) port->Publish(snapshot);
}

}  // namespace bandit::learning
