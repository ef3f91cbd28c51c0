// SPDX-License-Identifier: Apache-2.0
#include "router/control/webhook.h"

#include <fmt/format.h>
#include <httplib.h>
#include <pthread.h>
#include <sodium.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <utility>

namespace bandit::control {

std::string WebhookSignature(const std::string& secret,
                             const std::string& body) {
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac;
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(
      &state, reinterpret_cast<const unsigned char*>(secret.data()),
      secret.size());
  crypto_auth_hmacsha256_update(
      &state, reinterpret_cast<const unsigned char*>(body.data()), body.size());
  crypto_auth_hmacsha256_final(&state, mac.data());
  return fmt::format("{:02x}", fmt::join(mac, ""));
}

absl::Status PostOverHttp(const WebhookTarget& target, const std::string& id,
                          const std::string& body) {
  httplib::Client client(target.origin);
  const auto timeout = absl::ToChronoMilliseconds(target.timeout);
  client.set_connection_timeout(timeout);
  client.set_read_timeout(timeout);
  client.set_write_timeout(timeout);
  httplib::Headers headers = {{"x-bandit-event-id", id}};
  if (!target.token.empty()) {
    headers.emplace("authorization", "Bearer " + target.token);
  }
  if (!target.secret.empty()) {
    headers.emplace("x-bandit-signature",
                    "sha256=" + WebhookSignature(target.secret, body));
  }
  const httplib::Result result =
      client.Post(target.target, headers, body, "application/json");
  if (!result) {
    return absl::UnavailableError(httplib::to_string(result.error()));
  }
  if (result->status < 200 || result->status > 299) {
    return absl::UnavailableError(
        fmt::format("answered HTTP {}", result->status));
  }
  return absl::OkStatus();
}

Webhook::Webhook(Options options, WebhookCounts* counts)
    : options_(std::move(options)), counts_(counts) {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "webhook");
    Run();
  });
}

Webhook::~Webhook() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  thread_.join();
  absl::MutexLock lock(&mutex_);
  counts_->waiting -= events_.size();
  counts_->dropped += events_.size();
}

void Webhook::Send(std::string id, std::string body) {
  absl::MutexLock lock(&mutex_);
  if (events_.size() >= options_.queue) {
    ++counts_->dropped;
    return;
  }
  events_.push_back({std::move(id), std::move(body)});
  ++counts_->waiting;
}

void Webhook::Run() {
  while (true) {
    Event event;
    {
      absl::MutexLock lock(&mutex_);
      const auto something = [this] {
        mutex_.AssertHeld();
        return stop_ || !events_.empty();
      };
      mutex_.Await(absl::Condition(&something));
      if (stop_) return;
      event = events_.front();
    }
    if (!Deliver(event)) return;
    absl::MutexLock lock(&mutex_);
    events_.pop_front();
    --counts_->waiting;
  }
}

bool Webhook::Deliver(const Event& event) {
  absl::Duration pause = options_.first_pause;
  const WebhookTarget& target = options_.target;
  for (uint32_t attempt = 1;; ++attempt) {
    const absl::Status status = options_.post(target, event.id, event.body);
    if (status.ok()) {
      ++counts_->delivered;
      return true;
    }
    ++counts_->failed_attempts;
    const bool last = attempt >= target.attempts;
    // The path and the query may hold what is secret.
    spdlog::warn("webhook {}: attempt {} of {} failed: {}{}", target.origin,
                 attempt, target.attempts, std::string(status.message()),
                 last ? "; the event is given up" : "");
    if (last) {
      ++counts_->given_up;
      return true;
    }
    if (!Pause(pause)) return false;
    pause = std::min(2 * pause, options_.max_pause);
  }
}

bool Webhook::Pause(absl::Duration pause) {
  absl::MutexLock lock(&mutex_);
  return !mutex_.AwaitWithTimeout(absl::Condition(&stop_), pause);
}

}  // namespace bandit::control
