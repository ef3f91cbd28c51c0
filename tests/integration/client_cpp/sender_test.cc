// SPDX-License-Identifier: Apache-2.0
// The reward sender under failures that a test scripts: nothing is lost without
// a word, and the caller never waits.
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "bandit/client/reward_sender.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/client_cpp/feedback_fake.h"

namespace bandit::client {
namespace {

using ::bandit::testing::AcceptAll;
using ::bandit::testing::FeedbackFake;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr absl::Duration kLong = absl::Minutes(1);

Reward ById(const std::string& id) { return {"", "click", 1, id}; }

// Waits that are no time, so that a test takes none.
RewardSenderOptions Quick() {
  RewardSenderOptions options;
  options.linger = absl::ZeroDuration();
  options.first_backoff = absl::Milliseconds(1);
  options.max_backoff = absl::Milliseconds(2);
  options.seed = 1;
  return options;
}

void ExpectAddsUp(const RewardCounts& c) {
  EXPECT_EQ(c.taken, c.accepted + c.duplicate + c.late + c.unknown +
                         c.rejected + c.lost + c.handed_back + c.pending);
}

FeedbackFake::Answer Accept() {
  return
      [](int, const v1::RecordRequest& request, v1::RecordResponse* response) {
        return AcceptAll(request, response);
      };
}

TEST(SenderTest, RewardsThatComeTogetherShareACall) {
  FeedbackFake router(Accept());
  RewardSenderOptions options = Quick();
  options.linger = kLong;  // Only Flush ends it.
  RewardSender sender(router.channel(), options);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(sender.Send(ById(absl::StrCat(i))).ok());
  }
  EXPECT_EQ(sender.Flush(kLong), 0u);
  ASSERT_THAT(router.requests(), SizeIs(1));
  ASSERT_EQ(router.requests()[0].rewards_size(), 100);
  EXPECT_EQ(router.requests()[0].rewards(7).request_id(), "7");
  EXPECT_EQ(router.requests()[0].rewards(7).metric(), "click");
  EXPECT_EQ(router.requests()[0].rewards(7).value(), 1);
  EXPECT_EQ(sender.counts().accepted, 100u);
}

TEST(SenderTest, AFullBatchDoesNotLinger) {
  FeedbackFake router(Accept());
  RewardSenderOptions options = Quick();
  options.linger = kLong;
  options.batch = 2;
  RewardSender sender(router.channel(), options);
  ASSERT_TRUE(sender.Send(ById("a")).ok());
  ASSERT_TRUE(sender.Send(ById("b")).ok());
  EXPECT_TRUE(router.WaitForCall(1));
}

TEST(SenderTest, ARouterThatIsAwayOrFullIsTriedAgain) {
  FeedbackFake router([](int nth, const v1::RecordRequest& request,
                         v1::RecordResponse* response) {
    if (nth == 1) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "away");
    if (nth == 2) {
      return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "full");
    }
    return AcceptAll(request, response);
  });
  RewardSender sender(router.channel(), Quick());
  ASSERT_TRUE(sender.Send(ById("a")).ok());
  EXPECT_EQ(sender.Flush(kLong), 0u);
  EXPECT_EQ(sender.counts().accepted, 1u);
  EXPECT_EQ(sender.counts().retries, 2u);
  EXPECT_THAT(router.requests(), SizeIs(3));
}

TEST(SenderTest, ACallThatHangsIsGivenUpAndMadeAgain) {
  absl::Notification over;
  FeedbackFake router([&](int nth, const v1::RecordRequest& request,
                          v1::RecordResponse* response) {
    if (nth == 1) over.WaitForNotification();
    return AcceptAll(request, response);
  });
  RewardSenderOptions options = Quick();
  options.call_timeout = absl::Milliseconds(200);
  RewardSender sender(router.channel(), options);
  ASSERT_TRUE(sender.Send(ById("a")).ok());
  EXPECT_EQ(sender.Flush(kLong), 0u);
  EXPECT_GE(sender.counts().retries, 1u);
  over.Notify();
}

TEST(SenderTest, AFullQueueSaysSoAndNeverWaits) {
  absl::Notification go;
  FeedbackFake router(
      [&](int, const v1::RecordRequest& request, v1::RecordResponse* response) {
        go.WaitForNotification();
        return AcceptAll(request, response);
      });
  RewardSenderOptions options = Quick();
  options.capacity = 4;
  options.batch = 1;
  RewardSender sender(router.channel(), options);
  ASSERT_TRUE(sender.Send(ById("0")).ok());
  ASSERT_TRUE(router.WaitForCall(1));
  for (int i = 1; i < 4; ++i) {
    EXPECT_TRUE(sender.Send(ById(absl::StrCat(i))).ok());
  }
  // The one under way counts: what may come back must have a place.
  const absl::Status full = sender.Send(ById("4"));
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(sender.counts().full, 1u);
  EXPECT_EQ(sender.counts().pending, 4u);
  EXPECT_EQ(sender.Flush(absl::ZeroDuration()), 4u);
  go.Notify();
  EXPECT_EQ(sender.Flush(kLong), 0u);
  EXPECT_EQ(sender.counts().accepted, 4u);
  EXPECT_TRUE(sender.Send(ById("4")).ok());
}

TEST(SenderTest, EveryOutcomeIsCountedAndRefusalsAreTold) {
  FeedbackFake router(
      [](int, const v1::RecordRequest& request, v1::RecordResponse* response) {
        for (const auto& reward : request.rewards()) {
          v1::Outcome outcome = v1::OUTCOME_UNSPECIFIED;
          EXPECT_TRUE(v1::Outcome_Parse(reward.request_id(), &outcome));
          response->add_outcomes(outcome);
        }
        // Of the one that is UNKNOWN.
        response->add_refusals()->set_reward(3);
        response->mutable_refusals(0)->set_why("of another router");
        return grpc::Status::OK;
      });
  std::vector<std::pair<std::string, std::string>> told;
  std::vector<std::string> whys;
  RewardSenderOptions options = Quick();
  options.on_refused = [&](const Reward& reward, Outcome outcome,
                           std::string_view why) {
    told.emplace_back(reward.request_id, Name(outcome));
    whys.emplace_back(why);
  };
  std::vector<std::string> lost;
  options.on_lost = [&](const Reward& reward, const absl::Status& why) {
    lost.push_back(reward.request_id);
    EXPECT_EQ(why.code(), absl::StatusCode::kInternal);
  };
  RewardSender sender(router.channel(), options);
  for (const char* outcome : {"ACCEPTED", "DUPLICATE", "LATE", "UNKNOWN",
                              "REJECTED", "OUTCOME_UNSPECIFIED"}) {
    ASSERT_TRUE(sender.Send(ById(outcome)).ok());
  }
  EXPECT_EQ(sender.Flush(kLong), 0u);
  EXPECT_THAT(told,
              ElementsAre(Pair("LATE", "LATE"), Pair("UNKNOWN", "UNKNOWN"),
                          Pair("REJECTED", "REJECTED")));
  EXPECT_THAT(whys, ElementsAre(HasSubstr("`window`"), "of another router",
                                HasSubstr("`token_key`")));
  // An outcome of a protocol to come.
  EXPECT_THAT(lost, ElementsAre("OUTCOME_UNSPECIFIED"));
  const RewardCounts counts = sender.counts();
  EXPECT_EQ(counts.accepted, 1u);
  EXPECT_EQ(counts.duplicate, 1u);
  EXPECT_EQ(counts.late, 1u);
  EXPECT_EQ(counts.unknown, 1u);
  EXPECT_EQ(counts.rejected, 1u);
  EXPECT_EQ(counts.lost, 1u);
  ExpectAddsUp(counts);
}

TEST(SenderTest, WhatIsRefusedForGoodIsLostAloudAndTheNextGoesOn) {
  FeedbackFake router([](int nth, const v1::RecordRequest& request,
                         v1::RecordResponse* response) {
    if (nth == 1) {
      return grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "no token");
    }
    // Of another protocol: an outcome short.
    if (nth == 2) return grpc::Status::OK;
    return AcceptAll(request, response);
  });
  std::vector<std::string> lost;
  RewardSenderOptions options = Quick();
  options.on_lost = [&](const Reward& reward, const absl::Status& why) {
    lost.push_back(absl::StrCat(reward.request_id, ": ",
                                absl::StatusCodeToString(why.code())));
  };
  RewardSender sender(router.channel(), options);
  for (const char* id : {"a", "b", "c"}) {
    ASSERT_TRUE(sender.Send(ById(id)).ok());
    EXPECT_EQ(sender.Flush(kLong), 0u);
  }
  EXPECT_THAT(lost, ElementsAre("a: PERMISSION_DENIED", "b: DATA_LOSS"));
  EXPECT_EQ(sender.counts().accepted, 1u);
  EXPECT_EQ(sender.counts().retries, 0u);
  ExpectAddsUp(sender.counts());
}

TEST(SenderTest, CloseHandsBackWhatWasNotDelivered) {
  absl::Notification over;
  FeedbackFake router([&](int, const v1::RecordRequest&, v1::RecordResponse*) {
    over.WaitForNotification();
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopped");
  });
  RewardSenderOptions options = Quick();
  options.batch = 2;
  // The call under way would take all of it: it must be cancelled.
  options.call_timeout = absl::Hours(1);
  RewardSender sender(router.channel(), options);
  ASSERT_TRUE(sender.Send(ById("a")).ok());
  ASSERT_TRUE(router.WaitForCall(1));
  ASSERT_TRUE(sender.Send(ById("b")).ok());
  ASSERT_TRUE(sender.Send(ById("c")).ok());
  std::vector<std::string> left;
  for (const Reward& reward : sender.Close(absl::Milliseconds(10))) {
    left.push_back(reward.request_id);
  }
  over.Notify();
  EXPECT_THAT(left, ElementsAre("a", "b", "c"));
  EXPECT_EQ(sender.counts().handed_back, 3u);
  ExpectAddsUp(sender.counts());
  EXPECT_THAT(sender.Close(kLong), IsEmpty());
  EXPECT_EQ(sender.Send(ById("d")).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(SenderTest, CloseEndsAWaitBetweenTries) {
  FeedbackFake router([](int, const v1::RecordRequest&, v1::RecordResponse*) {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "away");
  });
  RewardSenderOptions options = Quick();
  options.first_backoff = options.max_backoff = absl::Hours(1);
  RewardSender sender(router.channel(), options);
  ASSERT_TRUE(sender.Send(ById("a")).ok());
  ASSERT_TRUE(router.WaitForCall(1));
  EXPECT_THAT(sender.Close(absl::Milliseconds(10)), SizeIs(1));
}

TEST(SenderTest, CloseDeliversFirst) {
  FeedbackFake router(Accept());
  RewardSenderOptions options = Quick();
  options.linger = kLong;
  RewardSender sender(router.channel(), options);
  ASSERT_TRUE(sender.Send(ById("a")).ok());
  EXPECT_THAT(sender.Close(kLong), IsEmpty());
  EXPECT_EQ(sender.counts().accepted, 1u);
}

TEST(SenderTest, TheDestructorTellsWhatIsLost) {
  FeedbackFake router([](int, const v1::RecordRequest&, v1::RecordResponse*) {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "away");
  });
  std::vector<std::string> lost;
  {
    RewardSenderOptions options = Quick();
    options.close_timeout = absl::Milliseconds(10);
    options.on_lost = [&](const Reward& reward, const absl::Status&) {
      lost.push_back(reward.request_id);
    };
    RewardSender sender(router.channel(), options);
    ASSERT_TRUE(sender.Send(ById("a")).ok());
  }
  EXPECT_THAT(lost, ElementsAre("a"));
}

TEST(SenderTest, WhatHasNoTokenIsNotTaken) {
  FeedbackFake router(Accept());
  RewardSender sender(router.channel(), Quick());
  EXPECT_EQ(
      sender.Send(Decision{"", "ranker", "control", "holdout"}, "click", 1)
          .code(),
      absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(sender.counts().invalid, 1u);
  EXPECT_EQ(sender.counts().taken, 0u);
}

// Some of the calls fail on the way back: after the router took the rewards.
TEST(SenderTest, ManyThreadsLoseNothing) {
  constexpr int kThreads = 8;
  constexpr int kEach = 500;
  absl::Mutex mutex;
  std::set<std::string> known;
  FeedbackFake router([&](int nth, const v1::RecordRequest& request,
                          v1::RecordResponse* response) {
    absl::MutexLock lock(&mutex);
    for (const auto& reward : request.rewards()) {
      response->add_outcomes(known.insert(reward.request_id()).second
                                 ? v1::ACCEPTED
                                 : v1::DUPLICATE);
    }
    return nth % 3 == 0 ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "cut")
                        : grpc::Status::OK;
  });
  RewardSenderOptions options = Quick();
  options.batch = 50;
  options.capacity = kThreads * kEach;
  RewardSender sender(router.channel(), options);
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        EXPECT_TRUE(sender.Send(ById(absl::StrCat(t, "-", i))).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sender.Flush(kLong), 0u);
  const RewardCounts counts = sender.counts();
  ExpectAddsUp(counts);
  EXPECT_EQ(counts.accepted + counts.duplicate, uint64_t{kThreads * kEach});
  EXPECT_GT(counts.duplicate, 0u);
  absl::MutexLock lock(&mutex);
  EXPECT_THAT(known, SizeIs(kThreads * kEach));
}

}  // namespace
}  // namespace bandit::client
