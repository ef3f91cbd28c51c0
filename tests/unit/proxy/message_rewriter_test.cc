// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/message_rewriter.h"

#include <gtest/gtest.h>

#include "inference/grpc_predict_v2.pb.h"
#include "router/experiment/model_name.h"
#include "tests/unit/proxy/grpc_frames.h"

namespace bandit::proxy {
namespace {

class MessageRewriterTest : public ::testing::Test {
 protected:
  static std::string Message(const std::string& name, size_t tensor) {
    inference::ModelInferRequest request;
    request.set_model_name(name);
    request.add_raw_input_contents(std::string(tensor, 't'));
    return request.SerializeAsString();
  }

  static std::string Suffix() {
    return experiment::OverrideSuffix(experiment::MessageShape::kOpenInference,
                                      {.name = "candidate", .version = "2"})
        .value();
  }

  // Feeds `body` in pieces and gives what comes out.
  absl::Status Rewrite(MessageRewriter& rewriter, const std::string& body,
                       size_t piece) {
    http2::SliceQueue out;
    for (size_t i = 0; i < body.size(); i += piece) {
      http2::BlockRef block = pool.Allocate(http2::BlockPool::kLarge);
      const size_t size = std::min(piece, body.size() - i);
      std::copy_n(body.begin() + static_cast<std::ptrdiff_t>(i), size,
                  block->data());
      block->used = static_cast<uint32_t>(size);
      const absl::Status status =
          rewriter.Feed(pool, block, block->data(), size, out);
      if (!status.ok()) return status;
    }
    for (const http2::Slice& slice : out) result += slice.view();
    return absl::OkStatus();
  }

  // Parses the next message of `result`.
  inference::ModelInferRequest Next() {
    size_t size = 0;
    for (size_t i = 1; i < 5; ++i) {
      size = size << 8 | static_cast<unsigned char>(result.at(i));
    }
    inference::ModelInferRequest request;
    EXPECT_EQ(result[0], '\0');
    EXPECT_TRUE(request.ParseFromString(result.substr(5, size)));
    result.erase(0, 5 + size);
    return request;
  }

  http2::BlockPool pool;
  std::string result;
};

TEST_F(MessageRewriterTest, OverridesWhateverThePieces) {
  for (const size_t piece : {1, 4, 6, 997, 60000}) {
    result.clear();
    MessageRewriter rewriter(Suffix(), "", 1 << 20);
    ASSERT_TRUE(Rewrite(rewriter, Frame(Message("ranker", 50000)), piece).ok());
    const auto request = Next();
    EXPECT_EQ(request.model_name(), "candidate");
    EXPECT_EQ(request.model_version(), "2");
    EXPECT_EQ(request.raw_input_contents(0).size(), 50000u);
    EXPECT_TRUE(result.empty());
  }
}

TEST_F(MessageRewriterTest, OverridesEveryMessageOfAStream) {
  MessageRewriter rewriter(Suffix(), "", 1 << 20);
  const std::string body =
      Frame(Message("a", 10)) + Frame("") + Frame(Message("b", 9000));
  ASSERT_TRUE(Rewrite(rewriter, body, 11).ok());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Next().model_name(), "candidate");
  EXPECT_TRUE(result.empty());
}

TEST_F(MessageRewriterTest, ACompressedMessageIsInflatedFirst) {
  MessageRewriter rewriter(Suffix(), "gzip", 1 << 20);
  const std::string body =
      Frame(Gzip(Message("a", 5000)), true) + Frame(Message("b", 10));
  ASSERT_TRUE(Rewrite(rewriter, body, 13).ok());
  const auto first = Next();
  EXPECT_EQ(first.model_name(), "candidate");
  EXPECT_EQ(first.raw_input_contents(0).size(), 5000u);
  EXPECT_EQ(Next().model_name(), "candidate");
}

TEST_F(MessageRewriterTest, SaysWhatIsWrongWithACompressedMessage) {
  {
    MessageRewriter rewriter(Suffix(), "gzip", 1 << 20);
    EXPECT_EQ(Rewrite(rewriter, Frame("junk", true), 100).code(),
              absl::StatusCode::kInvalidArgument);
  }
  {
    MessageRewriter rewriter(Suffix(), "snappy", 1 << 20);
    EXPECT_EQ(Rewrite(rewriter, Frame("junk", true), 100).code(),
              absl::StatusCode::kUnimplemented);
  }
  {
    // A bomb: small on the wire, large when inflated.
    MessageRewriter rewriter(Suffix(), "gzip", 10000);
    EXPECT_EQ(
        Rewrite(rewriter, Frame(Gzip(std::string(5'000'000, '0')), true), 500)
            .code(),
        absl::StatusCode::kResourceExhausted);
  }
}

}  // namespace
}  // namespace bandit::proxy
