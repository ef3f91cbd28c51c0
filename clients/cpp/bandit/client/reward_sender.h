// SPDX-License-Identifier: Apache-2.0
// Sends rewards to the router: many in a call, again until they are there.
//
// The caller never waits, and nothing is lost without a word: a reward that
// Send took ends in exactly one of the counts below. The router counts each
// once, however often it is sent.
#ifndef BANDIT_CLIENT_REWARD_SENDER_H_
#define BANDIT_CLIENT_REWARD_SENDER_H_

#include <grpcpp/channel.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "bandit/client/decision.h"
#include "bandit/client/reward.h"

namespace bandit::client {

struct RewardSenderOptions {
  // Rewards that may wait or be under way; a reward takes about 250 bytes.
  size_t capacity = 100'000;
  // Rewards in one call.
  size_t batch = 500;
  // How long a reward waits for others to share its call.
  absl::Duration linger = absl::Milliseconds(20);
  // The deadline of one call.
  absl::Duration call_timeout = absl::Seconds(10);
  // Waits between tries: the first, doubled up to the longest, with jitter.
  absl::Duration first_backoff = absl::Milliseconds(100);
  absl::Duration max_backoff = absl::Seconds(10);
  // What the destructor gives Close.
  absl::Duration close_timeout = absl::Seconds(5);
  // Goes with each call; for example {"authorization", "Bearer ..."}.
  std::vector<std::pair<std::string, std::string>> metadata;
  // Of the jitter; 0: a random one, so that clients differ.
  uint64_t seed = 0;

  // Both are called on the sender's thread, one at a time, without a lock held;
  // they may Send, and must not Flush or Close. Where one is absent, a line on
  // stderr tells the first such reward, the second, the fourth, ...
  //
  // The router answered that it does not count it: LATE, UNKNOWN, REJECTED;
  // and why: in its own words, where it says so (of 16 in a call).
  std::function<void(const Reward&, Outcome, std::string_view why)> on_refused;
  // It could not be handed over and will not be tried again: the call failed
  // for good, or the destructor's time ran out.
  std::function<void(const Reward&, const absl::Status&)> on_lost;
};

// Since the sender began. taken = accepted + duplicate + late + unknown +
// rejected + lost + handed_back + pending, always.
struct RewardCounts {
  uint64_t taken = 0;
  uint64_t accepted = 0;
  uint64_t duplicate = 0;
  uint64_t late = 0;
  uint64_t unknown = 0;
  uint64_t rejected = 0;
  // on_lost.
  uint64_t lost = 0;
  // By Close.
  uint64_t handed_back = 0;
  // Waiting, or under way.
  uint64_t pending = 0;

  // Refused by Send, so not taken: the queue was full; it was no reward.
  uint64_t full = 0;
  uint64_t invalid = 0;
  // Calls that were made again.
  uint64_t retries = 0;
};

// Thread-safety: all calls may overlap, but not with the destructor.
// Ownership: shares the channel.
class RewardSender {
 public:
  // `channel` leads to the router's `listen` or `control` port.
  explicit RewardSender(const std::shared_ptr<grpc::ChannelInterface>& channel,
                        RewardSenderOptions options = {});

  // Close(close_timeout); what that hands back goes to on_lost.
  ~RewardSender();
  RewardSender(const RewardSender&) = delete;
  RewardSender& operator=(const RewardSender&) = delete;

  // Takes the reward, or says why not and leaves it with the caller:
  // ResourceExhausted: `capacity` rewards are waiting. InvalidArgument: see
  // Check(). FailedPrecondition: the sender is closed.
  // Cost: a lock that is never held during a call; does not wait.
  absl::Status Send(Reward reward);
  absl::Status Send(const Decision& decision, std::string_view metric,
                    double value);
  // To every experiment of a response that counted the request: each overlay
  // learns by itself. What fails does not keep the others back; the first
  // failure is returned. One that does not declare the metric answers REJECTED.
  absl::Status SendToAll(const Decisions& decisions, std::string_view metric,
                         double value);

  // Waits until all that was taken before has its outcome, callbacks included;
  // the number of those that have not when the time is over.
  [[nodiscard]] size_t Flush(absl::Duration timeout);

  // Takes no more, waits for what was taken, ends the thread, and hands back
  // what was not delivered in time, the oldest first. Of these the router may
  // have counted those that were under way; sending them again is safe. The
  // second time there is nothing left.
  [[nodiscard]] std::vector<Reward> Close(absl::Duration timeout);

  RewardCounts counts() const;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace bandit::client

#endif  // BANDIT_CLIENT_REWARD_SENDER_H_
