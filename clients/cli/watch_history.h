// SPDX-License-Identifier: Apache-2.0
// What banditctl watch has seen since it started.
#ifndef BANDIT_CLIENTS_CLI_WATCH_HISTORY_H_
#define BANDIT_CLIENTS_CLI_WATCH_HISTORY_H_

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "bandit/v1/admin.pb.h"

namespace bandit::cli {

// One look at the router.
struct Look {
  absl::Time time;
  // Empty: it did not answer, for the reason `failure`.
  std::optional<v1::RouterStatus> status;
  std::string failure;
  // By experiment; those that were asked for this time.
  std::map<std::string, v1::Report> reports;
};

struct WatchEvent {
  absl::Time time;
  std::string text;
  bool bad = false;
};

// What has happened between two answers of a router, in the order of
// importance; the time is that of the later one.
std::vector<WatchEvent> EventsBetween(const v1::RouterStatus& before,
                                      const v1::RouterStatus& after,
                                      absl::Time time);

// Determinism: the looks.   Cost: bounded memory.
class WatchHistory {
 public:
  static constexpr size_t kMostShares = 240;
  static constexpr size_t kMostEvents = 200;

  // REQUIRES: times ascend. Gives what has happened since the last one.
  std::vector<WatchEvent> Add(const Look& look);

  // The last answer; empty before there is one.
  const std::optional<v1::RouterStatus>& status() const { return status_; }
  // Why the last look got no answer; empty: it got one.
  const std::string& failure() const { return failure_; }
  absl::Time time() const { return time_; }
  absl::Time answered() const { return answered_; }
  // The last one of the experiment; null: none of its epoch.
  const v1::Report* report(const std::string& experiment) const;
  // The arm's part of the experiment's decisions between one look and the
  // next, the oldest first; NaN where there were none.
  const std::deque<double>& shares(const std::string& experiment,
                                   const std::string& arm) const;
  // Decisions a second between the last two answers; NaN: not known.
  double rate(const std::string& experiment) const;
  const std::deque<WatchEvent>& events() const { return events_; }

 private:
  void AddShares(const v1::RouterStatus& after, absl::Time time);
  void Tell(WatchEvent event, std::vector<WatchEvent>* told);

  std::optional<v1::RouterStatus> status_;
  std::string failure_;
  absl::Time time_ = absl::InfinitePast();
  absl::Time answered_ = absl::InfinitePast();
  std::map<std::string, v1::Report> reports_;
  std::map<std::pair<std::string, std::string>, std::deque<double>> shares_;
  std::map<std::string, double> rates_;
  std::deque<WatchEvent> events_;
};

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_WATCH_HISTORY_H_
