// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/request_body.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "inference/grpc_predict_v2.pb.h"
#include "router/experiment/model_name.h"
#include "tests/unit/proxy/grpc_frames.h"

namespace bandit::proxy {
namespace {

class RequestBodyTest : public ::testing::Test {
 protected:
  absl::Status Add(const std::string& bytes) {
    http2::BlockRef block = pool.Allocate(http2::BlockPool::kLarge);
    std::copy(bytes.begin(), bytes.end(), block->data());
    block->used = static_cast<uint32_t>(bytes.size());
    return body.Add(block, block->data(), bytes.size());
  }

  std::string Take(size_t size) {
    http2::SliceQueue out;
    body.Take(size, out);
    std::string bytes;
    for (const http2::Slice& slice : out) bytes += slice.view();
    return bytes;
  }
  std::string TakeAll() { return Take(body.size()); }

  static std::unique_ptr<MessageRewriter> To(const std::string& model) {
    return std::make_unique<MessageRewriter>(
        experiment::OverrideSuffix(experiment::MessageShape::kOpenInference,
                                   {.name = model, .version = ""})
            .value(),
        "", 1 << 20);
  }

  // The model name that a body of one message asks for.
  static std::string ModelOf(const std::string& bytes) {
    inference::ModelInferRequest request;
    EXPECT_TRUE(request.ParseFromString(bytes.substr(5)));
    return request.model_name();
  }

  static std::string Message(size_t tensor) {
    inference::ModelInferRequest request;
    request.set_model_name("caller");
    request.add_raw_input_contents(std::string(tensor, 't'));
    return Frame(request.SerializeAsString());
  }

  http2::BlockPool pool;
  RequestBody body{pool};
};

TEST_F(RequestBodyTest, WhatIsNotKeptIsGone) {
  EXPECT_TRUE(body.whole());
  ASSERT_TRUE(Add("abcdef").ok());
  EXPECT_TRUE(body.whole());
  EXPECT_EQ(Take(4), "abcd");
  EXPECT_FALSE(body.whole());
  EXPECT_EQ(body.size(), 2u);
}

TEST_F(RequestBodyTest, WhatIsKeptIsSentAgain) {
  body.Keep(100);
  ASSERT_TRUE(Add("abc").ok());
  EXPECT_EQ(Take(2), "ab");
  ASSERT_TRUE(Add("def").ok());
  EXPECT_EQ(body.size(), 4u);
  EXPECT_EQ(TakeAll(), "cdef");
  EXPECT_TRUE(body.empty());
  EXPECT_TRUE(body.whole());
  body.Rewind();
  ASSERT_TRUE(Add("gh").ok());
  EXPECT_EQ(TakeAll(), "abcdefgh");
}

TEST_F(RequestBodyTest, LargeBytesAreSentAgainInPiecesOfAnySize) {
  std::string all;
  body.Keep(1 << 20);
  for (char c = 'a'; c < 'f'; ++c) {
    all += std::string(10'000, c);
    ASSERT_TRUE(Add(std::string(10'000, c)).ok());
  }
  for (const size_t piece : {3'000, 7'001, 16'384, 50'000}) {
    body.Rewind();
    std::string sent;
    while (!body.empty()) sent += Take(std::min(piece, body.size()));
    EXPECT_EQ(sent, all) << piece;
  }
}

TEST_F(RequestBodyTest, PastTheBoundItIsLetGo) {
  body.Keep(5);
  ASSERT_TRUE(Add("abcdef").ok());
  EXPECT_EQ(Take(5), "abcde");
  EXPECT_TRUE(body.whole());
  EXPECT_EQ(Take(1), "f");
  EXPECT_FALSE(body.whole());
  ASSERT_TRUE(Add("gh").ok());
  EXPECT_EQ(TakeAll(), "gh");
}

TEST_F(RequestBodyTest, LetGoKeepsWhatWaits) {
  body.Keep(100);
  ASSERT_TRUE(Add("abcdef").ok());
  Take(2);
  body.LetGo();
  EXPECT_FALSE(body.whole());
  EXPECT_EQ(TakeAll(), "cdef");
}

TEST_F(RequestBodyTest, WhatWasHeldIsRewritten) {
  ASSERT_TRUE(Add(Message(10)).ok());
  ASSERT_TRUE(body.Rewrite(To("a")).ok());
  EXPECT_EQ(ModelOf(TakeAll()), "a");
}

TEST_F(RequestBodyTest, AnotherArmGetsItsOwnOverrideOfTheOriginal) {
  for (const size_t tensor : {10, 20'000}) {
    body.Clear();
    body.Keep(1 << 20);
    const std::string message = Message(tensor);
    ASSERT_TRUE(body.Rewrite(To("a")).ok());
    ASSERT_TRUE(Add(message.substr(0, 7)).ok());
    ASSERT_TRUE(Add(message.substr(7)).ok());
    const std::string to_a = TakeAll();
    EXPECT_EQ(ModelOf(to_a), "a");
    body.Rewind();
    EXPECT_EQ(TakeAll(), to_a);
    ASSERT_TRUE(body.rewritable());
    ASSERT_TRUE(body.Rewrite(To("b")).ok());
    EXPECT_EQ(ModelOf(TakeAll()), "b");
    ASSERT_TRUE(body.Rewrite(nullptr).ok());
    EXPECT_EQ(TakeAll(), message);
    ASSERT_TRUE(body.Rewrite(To("c")).ok());
    EXPECT_EQ(ModelOf(TakeAll()), "c");
  }
}

// In the middle of a message, too: the rest goes through the new one.
TEST_F(RequestBodyTest, AnotherArmTakesOverInMidMessage) {
  body.Keep(1 << 20);
  const std::string message = Message(30);
  ASSERT_TRUE(body.Rewrite(To("a")).ok());
  ASSERT_TRUE(Add(message.substr(0, 20)).ok());
  TakeAll();
  ASSERT_TRUE(body.Rewrite(To("longer name")).ok());
  ASSERT_TRUE(Add(message.substr(20)).ok());
  EXPECT_EQ(ModelOf(TakeAll()), "longer name");
}

TEST_F(RequestBodyTest, WithoutTheOriginalThereIsNoOtherOverride) {
  body.Keep(30);
  ASSERT_TRUE(body.Rewrite(To("a")).ok());
  ASSERT_TRUE(Add(Message(100)).ok());
  EXPECT_TRUE(body.whole());
  EXPECT_FALSE(body.rewritable());
}

TEST_F(RequestBodyTest, NoBlockIsHeldOnceItIsCleared) {
  body.Keep(1 << 20);
  ASSERT_TRUE(Add(std::string(20'000, 'x')).ok());
  TakeAll();
  EXPECT_GT(pool.held_bytes(), 0u);
  body.Clear();
  EXPECT_EQ(pool.held_bytes(), 0u);
}

}  // namespace
}  // namespace bandit::proxy
