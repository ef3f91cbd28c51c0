// SPDX-License-Identifier: Apache-2.0
#include "router/dashboard/events.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "router/control/proto_time.h"
#include "router/text/utf8.h"

namespace bandit::dashboard {
namespace {

constexpr size_t kMostEvents = 500;
constexpr size_t kMostDetail = 1000;

v1::Event Make(std::string_view source, std::string_view what,
               std::string_view detail) {
  v1::Event event;
  event.set_source(std::string(source));
  event.set_what(std::string(what));
  event.set_detail(std::string(text::Utf8Prefix(detail, kMostDetail)));
  return event;
}

int64_t Nanoseconds(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1'000'000'000 + time.nanos();
}

}  // namespace

void Events::Add(v1::Event event, absl::Time time) {
  *event.mutable_time() = control::ToProto(time);
  absl::MutexLock lock(&mutex_);
  events_.push_back(std::move(event));
  if (events_.size() > kMostEvents) events_.pop_front();
}

void Events::OnStart(const std::string& version, absl::Time now) {
  Add(Make("router", "started", fmt::format("bandit-router {}", version)), now);
}

void Events::OnTransition(const guardrails::Transition& transition) {
  v1::Event event =
      Make("guardrail", guardrails::Name(transition.event), transition.reason);
  event.set_experiment(transition.experiment);
  event.set_arm(transition.arm);
  event.set_rule(transition.rule);
  Add(std::move(event), transition.time);
}

void Events::OnReload(bool loaded, const std::string& summary, absl::Time now) {
  Add(Make("reload", loaded ? "loaded" : "not_loaded", summary), now);
}

void Events::OnDegraded(const std::string& why, absl::Time now) {
  {
    absl::MutexLock lock(&mutex_);
    if (degraded_ == !why.empty()) return;
    degraded_ = !why.empty();
  }
  Add(Make("router", why.empty() ? "healed" : "degraded",
           why.empty() ? "the learning side is well again" : why),
      now);
}

std::deque<v1::Event> Events::Get() const {
  absl::MutexLock lock(&mutex_);
  return events_;
}

v1::EventLog Together(const std::deque<v1::Event>& events,
                      const v1::AuditLog& audit) {
  std::vector<v1::Event> all(events.begin(), events.end());
  for (const v1::AuditEntry& entry : audit.entries()) {
    const std::string detail =
        entry.why().empty() || entry.detail().empty()
            ? entry.why() + entry.detail()
            : fmt::format("{}: {}", entry.detail(), entry.why());
    v1::Event event = Make("audit", entry.act(), detail);
    *event.mutable_time() = entry.time();
    event.set_experiment(entry.experiment());
    event.set_who(entry.who());
    event.set_proven(entry.proven());
    all.push_back(std::move(event));
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return Nanoseconds(a.time()) < Nanoseconds(b.time());
  });
  v1::EventLog log;
  for (v1::Event& event : all) *log.add_events() = std::move(event);
  log.set_audit_trouble(audit.broken());
  return log;
}

}  // namespace bandit::dashboard
