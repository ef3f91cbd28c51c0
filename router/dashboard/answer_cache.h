// SPDX-License-Identifier: Apache-2.0
// Answers that many pages ask for at once, made once.
#ifndef BANDIT_ROUTER_DASHBOARD_ANSWER_CACHE_H_
#define BANDIT_ROUTER_DASHBOARD_ANSWER_CACHE_H_

#include <functional>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "router/control/admin_http.h"

namespace bandit::dashboard {

// Thread-safety: any thread may call.
// Cost: at most 64 answers are kept; and so many threads as `most` wait for
// what makes them, whatever hangs there.
class AnswerCache {
 public:
  // `now` tells the time; it must not go back.
  AnswerCache(int most, std::function<absl::Time()> now)
      : most_(most), now_(std::move(now)) {}

  // What `make` gives, or gave at most `fresh` ago. While somebody else makes
  // it, or `most` do: what it gave before, or 503 if nothing is known.
  control::HttpAnswer Get(const std::string& key, absl::Duration fresh,
                          const std::function<control::HttpAnswer()>& make);

 private:
  struct Kept {
    control::HttpAnswer answer;
    absl::Time made = absl::InfinitePast();
    bool making = false;
  };

  void MakeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int most_;
  const std::function<absl::Time()> now_;
  absl::Mutex mutex_;
  std::map<std::string, Kept> kept_ ABSL_GUARDED_BY(mutex_);
  int making_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace bandit::dashboard

#endif  // BANDIT_ROUTER_DASHBOARD_ANSWER_CACHE_H_
