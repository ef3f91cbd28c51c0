// SPDX-License-Identifier: Apache-2.0
// How the figures of experiments moved, in bounded memory.
//
// The newest samples are kept as they are. What is older is merged by pairs
// whenever it fills its room, so that it always reaches back to the beginning,
// at a spacing that doubles.
#ifndef BANDIT_ROUTER_DASHBOARD_HISTORY_H_
#define BANDIT_ROUTER_DASHBOARD_HISTORY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bandit/v1/dashboard.pb.h"

namespace bandit::dashboard {

// v1.ArmSample's fields.
struct ArmPoint {
  double probability = 0;
  uint64_t decisions = 0;
  double reward_count = 0;
  double reward_mean = 0;
  uint64_t finished = 0;
  uint64_t errors = 0;
  // Milliseconds; NaN where no call ended.
  std::array<float, 3> latency{};  // p50, p95, p99.
};

// v1.OutcomeSample's, in learning::Outcome's order.
using OutcomePoint = std::array<uint64_t, 5>;

struct Point {
  absl::Time time;
  uint32_t epoch = 0;
  std::vector<ArmPoint> arms;
  std::vector<OutcomePoint> metrics;
};

// Two that follow each other as one: what `later` has counted by then, and of
// the latencies the larger.
Point Merged(const Point& earlier, Point later);

// Of one series of points.   Thread-safety: none.
class Series {
 public:
  struct Room {
    size_t recent = 450;  // As they came.
    size_t older = 360;   // Merged; even.
  };

  // Keeps it, and what was kept before as `room` allows.
  void Add(Point point, Room room);
  // The oldest first.
  const std::deque<Point>& older() const { return older_; }
  const std::deque<Point>& recent() const { return recent_; }
  // What is between the two: points that are not yet a whole merged one.
  const std::optional<Point>& open() const { return open_; }

 private:
  void Age(Point point);
  void Halve();

  std::deque<Point> recent_;
  std::deque<Point> older_;
  std::optional<Point> open_;
  size_t stride_ = 1;  // Points in one of `older_`.
  size_t in_open_ = 0;
};

// Of all experiments, by name.
// Thread-safety: any thread may call.
// Cost: at most 16 MiB, whatever the number of experiments: many have fewer
// samples each.
class History {
 public:
  // One experiment at one moment.
  struct Entry {
    std::string experiment;
    std::vector<std::string> arms;
    std::vector<std::string> metrics;
    Point point;
  };

  explicit History(absl::Duration interval) : interval_(interval) {}

  // Of each experiment that there is; what is kept of others is forgotten. One
  // whose arms or metrics are others begins anew.
  void Add(std::vector<Entry> entries);
  // The samples after `since`. Fails with NotFound, also before the first
  // sample.
  absl::StatusOr<v1::History> Get(const std::string& experiment,
                                  absl::Time since) const;

  absl::Duration interval() const { return interval_; }
  // What each series may keep, for points of so many bytes all together.
  static Series::Room RoomFor(size_t bytes);

 private:
  struct Kept {
    std::vector<std::string> arms;
    std::vector<std::string> metrics;
    Series series;
  };

  const absl::Duration interval_;
  mutable absl::Mutex mutex_;
  std::map<std::string, Kept> kept_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bandit::dashboard

#endif  // BANDIT_ROUTER_DASHBOARD_HISTORY_H_
