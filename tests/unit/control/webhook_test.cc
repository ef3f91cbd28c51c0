// SPDX-License-Identifier: Apache-2.0
#include "router/control/webhook.h"

#include <httplib.h>

#include <thread>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "router/control/webhooks.h"

namespace bandit::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// What was posted, and an answer for each attempt.
class Receiver {
 public:
  WebhookPost Post() {
    return [this](const WebhookTarget&, const std::string& id,
                  const std::string& body) {
      absl::MutexLock lock(&mutex_);
      const auto open = [this] {
        mutex_.AssertHeld();
        return open_;
      };
      mutex_.Await(absl::Condition(&open));
      posts_.push_back(id + " " + body);
      if (failures_ > 0) {
        --failures_;
        return absl::UnavailableError("no");
      }
      return absl::OkStatus();
    };
  }
  void Fail(int times) {
    absl::MutexLock lock(&mutex_);
    failures_ = times;
  }
  void SetOpen(bool open) {
    absl::MutexLock lock(&mutex_);
    open_ = open;
  }
  std::vector<std::string> Await(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&] {
      mutex_.AssertHeld();
      return posts_.size() >= count;
    };
    mutex_.Await(absl::Condition(&there));
    return posts_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> posts_ ABSL_GUARDED_BY(mutex_);
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;
  bool open_ ABSL_GUARDED_BY(mutex_) = true;
};

void AwaitNothingWaits(const WebhookCounts& counts) {
  while (counts.waiting.load() > 0) std::this_thread::yield();
}

Webhook::Options OptionsFor(Receiver* receiver, uint32_t attempts = 5) {
  return {.target = {.origin = "http://x",
                     .target = "/",
                     .token = "",
                     .secret = "",
                     .events = {},
                     .timeout = absl::Seconds(1),
                     .attempts = attempts},
          .post = receiver->Post(),
          .first_pause = absl::Microseconds(10),
          .max_pause = absl::Milliseconds(1)};
}

TEST(WebhookTest, TriesAgainAndKeepsTheOrder) {
  Receiver receiver;
  WebhookCounts counts;
  receiver.Fail(2);
  Webhook webhook(OptionsFor(&receiver), &counts);
  webhook.Send("1", "first");
  webhook.Send("2", "second");
  EXPECT_THAT(receiver.Await(4),
              ElementsAre("1 first", "1 first", "1 first", "2 second"));
  AwaitNothingWaits(counts);
  EXPECT_EQ(counts.delivered, 2);
  EXPECT_EQ(counts.failed_attempts, 2);
}

TEST(WebhookTest, GivesUpAfterItsAttempts) {
  Receiver receiver;
  WebhookCounts counts;
  receiver.Fail(3);
  Webhook webhook(OptionsFor(&receiver, /*attempts=*/3), &counts);
  webhook.Send("1", "first");
  webhook.Send("2", "second");
  EXPECT_THAT(receiver.Await(4),
              ElementsAre("1 first", "1 first", "1 first", "2 second"));
  AwaitNothingWaits(counts);
  EXPECT_EQ(counts.given_up, 1);
  EXPECT_EQ(counts.delivered, 1);
}

// Send never waits: what is too much is dropped, and counted.
TEST(WebhookTest, BoundsWhatWaits) {
  Receiver receiver;
  WebhookCounts counts;
  receiver.SetOpen(false);
  Webhook::Options options = OptionsFor(&receiver);
  options.queue = 3;
  Webhook webhook(std::move(options), &counts);
  for (int i = 0; i < 10; ++i) webhook.Send(std::to_string(i), "x");
  EXPECT_EQ(counts.waiting, 3);
  EXPECT_EQ(counts.dropped, 7);
  receiver.SetOpen(true);
  EXPECT_THAT(receiver.Await(3), SizeIs(3));
}

TEST(WebhookTest, EndsInTheMidstOfAPause) {
  Receiver receiver;
  WebhookCounts counts;
  receiver.Fail(1000);
  {
    Webhook::Options options = OptionsFor(&receiver);
    options.first_pause = absl::Hours(1);
    options.max_pause = absl::Hours(1);
    Webhook webhook(std::move(options), &counts);
    webhook.Send("1", "x");
    receiver.Await(1);
  }
  EXPECT_EQ(counts.dropped, 1);
  EXPECT_EQ(counts.waiting, 0);
}

// RFC 4231, test case 2.
TEST(WebhookSignatureTest, IsAnHmac) {
  EXPECT_EQ(WebhookSignature("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(PostOverHttpTest, SendsTheBodySignedAndReadsTheAnswer) {
  httplib::Server server;
  absl::Mutex mutex;
  httplib::Request seen;
  int status = 204;
  server.Post("/hook", [&](const httplib::Request& request,
                           httplib::Response& response) {
    absl::MutexLock lock(&mutex);
    seen = request;
    response.status = status;
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  std::thread thread([&] { server.listen_after_bind(); });
  WebhookTarget target{.origin = "http://127.0.0.1:" + std::to_string(port),
                       .target = "/hook?a=b",
                       .token = "t0ken",
                       .secret = "Jefe",
                       .events = {},
                       .timeout = absl::Seconds(30),
                       .attempts = 1};
  EXPECT_TRUE(PostOverHttp(target, "id7", "what do ya want for nothing?").ok());
  absl::ReleasableMutexLock lock(&mutex);
  EXPECT_EQ(seen.body, "what do ya want for nothing?");
  EXPECT_EQ(seen.get_param_value("a"), "b");
  EXPECT_EQ(seen.get_header_value("content-type"), "application/json");
  EXPECT_EQ(seen.get_header_value("authorization"), "Bearer t0ken");
  EXPECT_EQ(seen.get_header_value("x-bandit-event-id"), "id7");
  EXPECT_THAT(seen.get_header_value("x-bandit-signature"),
              ::testing::StartsWith("sha256=5bdcc146"));
  status = 500;
  lock.Release();
  const absl::Status failed = PostOverHttp(target, "id7", "x");
  EXPECT_THAT(std::string(failed.message()), HasSubstr("HTTP 500"));
  server.stop();
  thread.join();
  EXPECT_FALSE(PostOverHttp(target, "id7", "x").ok());
}

TEST(ToJsonTest, LeavesOutWhatIsNotThereAndEscapes) {
  const absl::Time time = absl::FromUnixSeconds(1'700'000'000);
  EXPECT_EQ(ToJson("7", {.experiment = "ranker",
                         .arm = "b",
                         .rule = "say \"hi\"",
                         .event = guardrails::Event::kEjected,
                         .reason = "a\nb",
                         .time = time}),
            R"({"id":"7","time":"2023-11-14T22:13:20+00:00",)"
            R"("event":"ejected","experiment":"ranker","arm":"b",)"
            R"("rule":"say \"hi\"","reason":"a\u000ab"})");
  EXPECT_EQ(ToJson("7", {.experiment = "ranker",
                         .arm = "",
                         .rule = "",
                         .event = guardrails::Event::kRelease,
                         .reason = "",
                         .time = time}),
            R"({"id":"7","time":"2023-11-14T22:13:20+00:00",)"
            R"("event":"release","experiment":"ranker"})");
}

}  // namespace
}  // namespace bandit::control
