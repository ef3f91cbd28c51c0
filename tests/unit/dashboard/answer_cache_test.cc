// SPDX-License-Identifier: Apache-2.0
#include "router/dashboard/answer_cache.h"

#include <atomic>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

namespace bandit::dashboard {
namespace {

class AnswerCacheTest : public ::testing::Test {
 protected:
  control::HttpAnswer Get(const std::string& key) {
    return cache_.Get(key, absl::Seconds(1), [&] {
      return control::HttpAnswer{.body = std::to_string(++made_)};
    });
  }

  absl::Time now_ = absl::UnixEpoch();
  AnswerCache cache_{1, [this] { return now_; }};
  std::atomic<int> made_ = 0;
};

TEST_F(AnswerCacheTest, AnAnswerIsMadeOnceWhileItIsFresh) {
  EXPECT_EQ(Get("a").body, "1");
  now_ += absl::Seconds(1);
  EXPECT_EQ(Get("a").body, "1");
  EXPECT_EQ(Get("b").body, "2");
  now_ += absl::Milliseconds(1);
  EXPECT_EQ(Get("a").body, "3");
}

// A learner that hangs holds one thread, not all.
TEST_F(AnswerCacheTest, WhileOneIsMadeOthersGetTheLastOrAreSentAway) {
  EXPECT_EQ(Get("a").body, "1");
  now_ += absl::Seconds(2);
  absl::Notification begun, release;
  std::thread slow([&] {
    cache_.Get("a", absl::Seconds(1), [&] {
      begun.Notify();
      release.WaitForNotification();
      return control::HttpAnswer{.body = "late"};
    });
  });
  begun.WaitForNotification();
  EXPECT_EQ(Get("a").body, "1");
  EXPECT_EQ(Get("b").status, 503);
  EXPECT_EQ(made_, 1);
  release.Notify();
  slow.join();
  EXPECT_EQ(Get("a").body, "late");
}

TEST_F(AnswerCacheTest, WhatIsAskedForAtOnceIsMadeOnce) {
  std::vector<std::thread> readers;
  for (int i = 0; i < 20; ++i) {
    readers.emplace_back([&] { EXPECT_EQ(Get("a").body, "1"); });
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(made_, 1);
}

TEST_F(AnswerCacheTest, KeysThatCallersMakeUpTakeNoMemory) {
  for (int i = 0; i < 100; ++i) Get(std::to_string(i));
  EXPECT_EQ(Get("99").body, "100");
  EXPECT_EQ(Get("0").body, "101");  // Forgotten.
}

}  // namespace
}  // namespace bandit::dashboard
