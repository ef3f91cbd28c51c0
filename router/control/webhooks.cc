// SPDX-License-Identifier: Apache-2.0
#include "router/control/webhooks.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "fmt/format.h"
#include "router/config/webhook_url.h"
#include "router/observe/access_line.h"

namespace bandit::control {
namespace {

using guardrails::Event;

bool Wants(const WebhookTarget& target, Event event) {
  return target.events.empty() ||
         std::find(target.events.begin(), target.events.end(),
                   guardrails::Name(event)) != target.events.end();
}

}  // namespace

std::string ToJson(const std::string& id,
                   const guardrails::Transition& transition) {
  std::string json = "{";
  const auto add = [&json](std::string_view key, std::string_view value) {
    if (value.empty()) return;
    if (json.size() > 1) json += ',';
    observe::AppendJsonString(key, &json);
    json += ':';
    observe::AppendJsonString(value, &json);
  };
  add("id", id);
  add("time", absl::FormatTime(absl::RFC3339_sec, transition.time,
                               absl::UTCTimeZone()));
  add("event", guardrails::Name(transition.event));
  add("experiment", transition.experiment);
  add("arm", transition.arm);
  add("rule", transition.rule);
  add("reason", transition.reason);
  return json + "}";
}

std::vector<WebhookTarget> TargetsOf(const v1::RouterConfig& config) {
  std::vector<WebhookTarget> targets;
  for (const v1::WebhookConfig& from : config.webhooks()) {
    const auto url = config::ParseWebhookUrl(from.url());
    if (!url.has_value()) continue;  // Not of a config that was loaded.
    WebhookTarget& target = targets.emplace_back();
    target.origin = url->origin;
    target.target = url->target;
    target.token = from.token();
    target.secret = from.secret();
    target.events = {from.events().begin(), from.events().end()};
    target.timeout = absl::Seconds(from.timeout().seconds()) +
                     absl::Nanoseconds(from.timeout().nanos());
    target.attempts = from.attempts();
  }
  return targets;
}

void Webhooks::Use(const std::vector<WebhookTarget>& targets) {
  std::vector<std::unique_ptr<Webhook>> old;
  {
    absl::MutexLock lock(&mutex_);
    old.swap(webhooks_);
    for (const WebhookTarget& target : targets) {
      const auto same =
          std::find_if(old.begin(), old.end(), [&](const auto& webhook) {
            return webhook != nullptr && webhook->target() == target;
          });
      if (same != old.end()) {
        webhooks_.push_back(std::move(*same));
      } else {
        webhooks_.push_back(std::make_unique<Webhook>(
            Webhook::Options{.target = target}, &counts_));
      }
    }
  }
  // Those that go are waited for without the lock.
}

void Webhooks::Tell(const guardrails::Transition& transition) {
  absl::MutexLock lock(&mutex_);
  const std::string id = fmt::format("{:016x}", random_());
  for (const auto& webhook : webhooks_) {
    if (Wants(webhook->target(), transition.event)) {
      webhook->Send(id, ToJson(id, transition));
    }
  }
}

Webhooks::Totals Webhooks::totals() const {
  return {.delivered = counts_.delivered,
          .given_up = counts_.given_up,
          .dropped = counts_.dropped,
          .failed_attempts = counts_.failed_attempts,
          .waiting = counts_.waiting};
}

}  // namespace bandit::control
