// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/watch_history.h"

#include <cmath>
#include <limits>

#include "fmt/format.h"

namespace bandit::cli {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

template <typename Named>
const Named* Find(const google::protobuf::RepeatedPtrField<Named>& all,
                  const std::string& name) {
  for (const Named& one : all) {
    if (one.name() == name) return &one;
  }
  return nullptr;
}

std::string Said(const std::string& why) {
  return why.empty() ? "" : ": " + why;
}

std::string Spaced(std::string state) {
  for (char& c : state) c = c == '_' ? ' ' : c;
  return state;
}

// Collects what is told of one pair of answers.
class Teller {
 public:
  Teller(absl::Time time, std::vector<WatchEvent>* events)
      : time_(time), events_(events) {}

  void Good(std::string text) {
    events_->push_back({.time = time_, .text = std::move(text), .bad = false});
  }
  void Bad(std::string text) {
    events_->push_back({.time = time_, .text = std::move(text), .bad = true});
  }

 private:
  absl::Time time_;
  std::vector<WatchEvent>* events_;
};

void CompareLives(const std::string& name, const v1::LifecycleStatus& before,
                  const v1::LifecycleStatus& after, Teller* tell) {
  const std::string by = after.who().empty() ? "" : " by " + after.who();
  if (before.state() != after.state()) {
    std::string text = fmt::format("{}: {}{}{}", name, Spaced(after.state()),
                                   by, Said(after.why()));
    if (!after.arm().empty()) text += ", arm " + after.arm() + " for all";
    if (after.state() == "rolled_back") {
      tell->Bad(std::move(text));
    } else {
      tell->Good(std::move(text));
    }
  } else if (before.ramp_share() != after.ramp_share()) {
    tell->Good(fmt::format("{}: the ramp lets in {:g} % of the units", name,
                           100 * after.ramp_share()));
  }
  if (after.has_pending() && !before.has_pending()) {
    tell->Good(fmt::format("{}: {} waits for approval", name,
                           Spaced(after.pending().act())));
  }
  if (before.held() != after.held()) {
    if (after.held().empty()) {
      tell->Good(fmt::format("{}: the ramp is held no longer", name));
    } else {
      tell->Bad(
          fmt::format("{}: the ramp is held{}", name, Said(after.held())));
    }
  }
}

void CompareArms(const v1::ExperimentStatus& before,
                 const v1::ExperimentStatus& after, Teller* tell) {
  for (const v1::ArmStatus& arm : after.arms()) {
    const v1::ArmStatus* old = Find(before.arms(), arm.name());
    if (old == nullptr || old->state() == arm.state()) continue;
    const std::string where = fmt::format("{}, {}", after.name(), arm.name());
    if (arm.state() == "ejected") {
      tell->Bad(fmt::format("{}: ejected{}", where, Said(arm.state_reason())));
    } else {
      tell->Good(fmt::format(
          "{}: {}", where,
          arm.state() == "probation" ? "on probation" : arm.state()));
    }
  }
  for (const v1::GuardrailStatus& rule : after.guardrails()) {
    for (const v1::GuardrailStatus& old : before.guardrails()) {
      if (old.arm() != rule.arm() || old.rule() != rule.rule()) continue;
      if (rule.trips() > old.trips()) {
        tell->Bad(fmt::format("{}, {}: {} is broken ({}){}", after.name(),
                              rule.arm(), rule.rule(), rule.action(),
                              Said(rule.reason())));
      }
    }
  }
}

void CompareExperiments(const v1::ExperimentStatus& before,
                        const v1::ExperimentStatus& after, Teller* tell) {
  if (before.epoch() != after.epoch()) {
    tell->Good(fmt::format("{}: epoch {} begins", after.name(), after.epoch()));
  }
  if (before.policy() != after.policy()) {
    tell->Good(fmt::format("{}: policy {} takes the place of {}", after.name(),
                           after.policy(), before.policy()));
  }
  CompareLives(after.name(), before.lifecycle(), after.lifecycle(), tell);
  CompareArms(before, after, tell);
}

bool SameTime(const google::protobuf::Timestamp& a,
              const google::protobuf::Timestamp& b) {
  return a.seconds() == b.seconds() && a.nanos() == b.nanos();
}

}  // namespace

std::vector<WatchEvent> EventsBetween(const v1::RouterStatus& before,
                                      const v1::RouterStatus& after,
                                      absl::Time time) {
  std::vector<WatchEvent> events;
  Teller tell(time, &events);
  if (!SameTime(before.started(), after.started())) {
    tell.Bad(before.version() == after.version()
                 ? std::string("the router has restarted")
                 : fmt::format("the router has restarted, as version {}",
                               after.version()));
  }
  if (before.degraded() != after.degraded()) {
    if (after.degraded().empty()) {
      tell.Good("the learning side is well again");
    } else {
      tell.Bad("degraded: " + after.degraded());
    }
  }
  for (const v1::ExperimentStatus& e : after.experiments()) {
    const v1::ExperimentStatus* old = Find(before.experiments(), e.name());
    if (old == nullptr) {
      tell.Good(fmt::format("{}: new", e.name()));
    } else {
      CompareExperiments(*old, e, &tell);
    }
  }
  for (const v1::ExperimentStatus& e : before.experiments()) {
    if (Find(after.experiments(), e.name()) == nullptr) {
      tell.Bad(fmt::format("{}: not configured any more", e.name()));
    }
  }
  return events;
}

std::vector<WatchEvent> WatchHistory::Add(const Look& look) {
  std::vector<WatchEvent> told;
  time_ = look.time;
  if (!look.status.has_value()) {
    if (failure_.empty()) {
      Tell({.time = look.time, .text = look.failure, .bad = true}, &told);
    }
    failure_ = look.failure.empty() ? "no answer" : look.failure;
    return told;
  }
  if (!failure_.empty()) {
    Tell({.time = look.time,
          .text = fmt::format("the router answers again, after {}",
                              absl::FormatDuration(absl::Trunc(
                                  look.time - answered_, absl::Seconds(1)))),
          .bad = false},
         &told);
    failure_.clear();
  }
  if (status_.has_value()) {
    for (WatchEvent& event : EventsBetween(*status_, *look.status, look.time)) {
      Tell(std::move(event), &told);
    }
    AddShares(*look.status, look.time);
  }
  for (const auto& [name, report] : look.reports) reports_[name] = report;
  status_ = look.status;
  answered_ = look.time;
  return told;
}

void WatchHistory::AddShares(const v1::RouterStatus& after, absl::Time time) {
  for (const v1::ExperimentStatus& e : after.experiments()) {
    const v1::ExperimentStatus* before = Find(status_->experiments(), e.name());
    // Another epoch counts from nothing.
    const bool grows = before != nullptr && before->epoch() == e.epoch() &&
                       before->decisions() <= e.decisions();
    const double decisions =
        grows ? static_cast<double>(e.decisions() - before->decisions()) : 0;
    const double seconds = absl::ToDoubleSeconds(time - answered_);
    rates_[e.name()] = grows && seconds > 0 ? decisions / seconds : kNone;
    for (const v1::ArmStatus& arm : e.arms()) {
      const v1::ArmStatus* old =
          grows ? Find(before->arms(), arm.name()) : nullptr;
      const bool known = old != nullptr && decisions > 0 &&
                         old->decisions() <= arm.decisions();
      std::deque<double>& shares = shares_[{e.name(), arm.name()}];
      shares.push_back(
          known ? static_cast<double>(arm.decisions() - old->decisions()) /
                      decisions
                : kNone);
      if (shares.size() > kMostShares) shares.pop_front();
    }
  }
}

void WatchHistory::Tell(WatchEvent event, std::vector<WatchEvent>* told) {
  events_.push_back(event);
  if (events_.size() > kMostEvents) events_.pop_front();
  told->push_back(std::move(event));
}

const v1::Report* WatchHistory::report(const std::string& experiment) const {
  const auto found = reports_.find(experiment);
  if (found == reports_.end() || !status_.has_value()) return nullptr;
  const v1::ExperimentStatus* e = Find(status_->experiments(), experiment);
  return e != nullptr && e->epoch() == found->second.epoch() ? &found->second
                                                             : nullptr;
}

const std::deque<double>& WatchHistory::shares(const std::string& experiment,
                                               const std::string& arm) const {
  static const auto& nothing = *new std::deque<double>;
  const auto found = shares_.find({experiment, arm});
  return found != shares_.end() ? found->second : nothing;
}

double WatchHistory::rate(const std::string& experiment) const {
  const auto found = rates_.find(experiment);
  return found != rates_.end() ? found->second : kNone;
}

}  // namespace bandit::cli
