// SPDX-License-Identifier: Apache-2.0
// Tells one address what guardrails do, by HTTP POST.
#ifndef BANDIT_ROUTER_CONTROL_WEBHOOK_H_
#define BANDIT_ROUTER_CONTROL_WEBHOOK_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace bandit::control {

struct WebhookTarget {
  std::string origin;               // "https://hooks.example.com"
  std::string target;               // "/path"
  std::string token;                // Bearer; empty: none.
  std::string secret;               // Of the signature; empty: none.
  std::vector<std::string> events;  // Names; empty: all.
  absl::Duration timeout;
  uint32_t attempts = 1;

  friend bool operator==(const WebhookTarget&, const WebhookTarget&) = default;
};

// Shared by all webhooks of a router.
struct WebhookCounts {
  std::atomic<uint64_t> delivered = 0;
  std::atomic<uint64_t> given_up = 0;
  std::atomic<uint64_t> dropped = 0;
  std::atomic<uint64_t> failed_attempts = 0;
  std::atomic<uint64_t> waiting = 0;
};

// One attempt: OK if it was answered with 2xx. Blocks for the target's timeout
// at most. `id` is the same in all attempts at one event.
using WebhookPost =
    std::function<absl::Status(const WebhookTarget& target,
                               const std::string& id, const std::string& body)>;
absl::Status PostOverHttp(const WebhookTarget& target, const std::string& id,
                          const std::string& body);

// Hex of the HMAC-SHA256 of `body`.
std::string WebhookSignature(const std::string& secret,
                             const std::string& body);

// Events go out in order, one after the other, each until it is taken or given
// up; the pause between attempts doubles. A thread of its own.
// Thread-safety: any thread may call Send, which never blocks.
class Webhook {
 public:
  struct Options {
    WebhookTarget target;
    WebhookPost post = PostOverHttp;
    absl::Duration first_pause = absl::Seconds(1);
    absl::Duration max_pause = absl::Minutes(1);
    size_t queue = 1000;  // Events; further ones are dropped, and counted.
  };

  // Ownership: borrows the counts.
  Webhook(Options options, WebhookCounts* counts);
  // What waits is dropped. Waits for an attempt that is under way.
  ~Webhook();

  void Send(std::string id, std::string body);
  const WebhookTarget& target() const { return options_.target; }

 private:
  struct Event {
    std::string id;
    std::string body;
  };

  void Run();
  bool Deliver(const Event& event);
  // False: the webhook ends.
  bool Pause(absl::Duration pause);

  const Options options_;
  WebhookCounts* const counts_;
  absl::Mutex mutex_;
  // What waits, the one under way included.
  std::deque<Event> events_ ABSL_GUARDED_BY(mutex_);
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_WEBHOOK_H_
