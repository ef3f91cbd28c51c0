// SPDX-License-Identifier: Apache-2.0
#include "router/dashboard/history.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "fmt/format.h"
#include "router/control/proto_time.h"

namespace bandit::dashboard {
namespace {

constexpr size_t kMostBytes = size_t{16} << 20;
// What a point takes beside its arms and metrics, with the allocator's part.
constexpr size_t kPointBytes = sizeof(Point) + 32;

size_t BytesOf(const Point& point) {
  return kPointBytes + point.arms.size() * sizeof(ArmPoint) +
         point.metrics.size() * sizeof(OutcomePoint);
}

void Write(const Point& point, v1::HistorySample* sample) {
  *sample->mutable_time() = control::ToProto(point.time);
  sample->set_epoch(point.epoch);
  for (const ArmPoint& from : point.arms) {
    v1::ArmSample* arm = sample->add_arms();
    arm->set_probability(from.probability);
    arm->set_decisions(from.decisions);
    arm->set_reward_count(from.reward_count);
    arm->set_reward_mean(from.reward_mean);
    arm->set_finished(from.finished);
    arm->set_errors(from.errors);
    if (std::isnan(from.latency[0])) continue;
    arm->set_p50_ms(from.latency[0]);
    arm->set_p95_ms(from.latency[1]);
    arm->set_p99_ms(from.latency[2]);
  }
  for (const OutcomePoint& from : point.metrics) {
    v1::OutcomeSample* metric = sample->add_metrics();
    metric->set_accepted(from[0]);
    metric->set_duplicate(from[1]);
    metric->set_late(from[2]);
    metric->set_unknown(from[3]);
    metric->set_rejected(from[4]);
  }
}

}  // namespace

Point Merged(const Point& earlier, Point later) {
  for (size_t a = 0; a < later.arms.size(); ++a) {
    for (size_t q = 0; q < later.arms[a].latency.size(); ++q) {
      // fmax: a number wins over NaN.
      later.arms[a].latency[q] =
          std::fmax(earlier.arms[a].latency[q], later.arms[a].latency[q]);
    }
  }
  return later;
}

void Series::Add(Point point, Room room) {
  recent_.push_back(std::move(point));
  while (recent_.size() > room.recent) {
    Age(std::move(recent_.front()));
    recent_.pop_front();
  }
  while (older_.size() > room.older) Halve();
}

void Series::Age(Point point) {
  open_ =
      open_.has_value() ? Merged(*open_, std::move(point)) : std::move(point);
  if (++in_open_ < stride_) return;
  older_.push_back(*std::exchange(open_, std::nullopt));
  in_open_ = 0;
}

void Series::Halve() {
  std::deque<Point> halved;
  for (size_t i = 0; i + 1 < older_.size(); i += 2) {
    halved.push_back(Merged(older_[i], std::move(older_[i + 1])));
  }
  // One without a partner begins the next.
  if (older_.size() % 2 == 1) {
    open_ = open_.has_value() ? Merged(older_.back(), *std::move(open_))
                              : std::move(older_.back());
    in_open_ += stride_;
  }
  older_ = std::move(halved);
  stride_ *= 2;
}

Series::Room History::RoomFor(size_t bytes) {
  constexpr Series::Room kMost;
  const size_t points = kMostBytes / std::max<size_t>(bytes, 1);
  if (points >= kMost.recent + kMost.older + 1) return kMost;
  // Never fewer than make a line.
  return {.recent = std::max<size_t>(8, points / 2),
          .older = std::max<size_t>(8, points / 2 - points / 2 % 2)};
}

void History::Add(std::vector<Entry> entries) {
  size_t bytes = 0;
  for (const Entry& entry : entries) bytes += BytesOf(entry.point);
  const Series::Room room = RoomFor(bytes);
  std::map<std::string, Kept> next;
  absl::MutexLock lock(&mutex_);
  for (Entry& entry : entries) {
    Kept& kept = next[entry.experiment];
    if (const auto before = kept_.find(entry.experiment);
        before != kept_.end() && before->second.arms == entry.arms &&
        before->second.metrics == entry.metrics) {
      kept = std::move(before->second);
    }
    kept.arms = std::move(entry.arms);
    kept.metrics = std::move(entry.metrics);
    kept.series.Add(std::move(entry.point), room);
  }
  kept_ = std::move(next);
}

absl::StatusOr<v1::History> History::Get(const std::string& experiment,
                                         absl::Time since) const {
  v1::History history;
  history.set_experiment(experiment);
  *history.mutable_interval() = control::ToProto(interval_);
  absl::MutexLock lock(&mutex_);
  const auto kept = kept_.find(experiment);
  if (kept == kept_.end()) {
    return absl::NotFoundError(
        fmt::format("nothing is kept of an experiment named {}", experiment));
  }
  for (const std::string& arm : kept->second.arms) history.add_arms(arm);
  for (const std::string& metric : kept->second.metrics) {
    history.add_metrics(metric);
  }
  const auto add = [&](const Point& point) {
    if (point.time > since) Write(point, history.add_samples());
  };
  const Series& series = kept->second.series;
  for (const Point& point : series.older()) add(point);
  if (series.open().has_value()) add(*series.open());
  for (const Point& point : series.recent()) add(point);
  return history;
}

}  // namespace bandit::dashboard
