// SPDX-License-Identifier: Apache-2.0
#include "router/learning/errands.h"

#include <utility>

#include "absl/synchronization/notification.h"

namespace bandit::learning {

void Errands::Open() {
  absl::MutexLock lock(&mutex_);
  open_ = true;
}

void Errands::Close() {
  absl::MutexLock lock(&mutex_);
  open_ = false;
}

bool Errands::open() const {
  absl::MutexLock lock(&mutex_);
  return open_;
}

void Errands::Post(Errand errand) {
  {
    absl::MutexLock lock(&mutex_);
    if (open_) {
      errands_.push_back(std::move(errand));
      wakeup_->Ring();
      return;
    }
  }
  errand(false);
}

absl::Status Errands::Do(const std::function<absl::Status()>& task) {
  absl::Status result;
  absl::Notification done;
  Post([&](bool open) {
    result =
        open ? task() : absl::UnavailableError("the learner is not running");
    done.Notify();
  });
  done.WaitForNotification();
  return result;
}

void Errands::Run() {
  std::vector<Errand> errands;
  bool open = false;
  {
    absl::MutexLock lock(&mutex_);
    errands.swap(errands_);
    open = open_;
  }
  for (const Errand& errand : errands) errand(open);
}

}  // namespace bandit::learning
