// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/model_peek.h"

#include <gtest/gtest.h>

#include "inference/grpc_predict_v2.pb.h"
#include "tests/unit/proxy/grpc_frames.h"

namespace bandit::proxy {
namespace {

using experiment::MessageShape;

std::string Message() {
  inference::ModelInferRequest request;
  request.set_model_name("ranker");
  request.add_raw_input_contents(std::string(10000, 't'));
  return request.SerializeAsString();
}

TEST(ModelPeekTest, FindsTheNameInWhateverPiecesItComes) {
  const std::string body = Frame(Message());
  for (const size_t piece : {1, 3, 7, 5000}) {
    ModelPeek peek(MessageShape::kOpenInference, "", 1 << 20);
    for (size_t i = 0; i < body.size() && !peek.done(); i += piece) {
      peek.Feed(std::string_view(body).substr(i, piece));
    }
    EXPECT_EQ(peek.model(), "ranker") << piece;
  }
}

TEST(ModelPeekTest, InflatesACompressedMessage) {
  ModelPeek peek(MessageShape::kOpenInference, "gzip", 1 << 20);
  peek.Feed(Frame(Gzip(Message()), true));
  EXPECT_EQ(peek.model(), "ranker");
}

TEST(ModelPeekTest, ABombOrDamageIsNoName) {
  {
    ModelPeek peek(MessageShape::kOpenInference, "gzip", 100);
    peek.Feed(Frame(Gzip(Message()), true));
    EXPECT_TRUE(peek.done());
    EXPECT_EQ(peek.model(), std::nullopt);
  }
  {
    ModelPeek peek(MessageShape::kOpenInference, "gzip", 1 << 20);
    peek.Feed(Frame("not gzip", true));
    EXPECT_TRUE(peek.done());
    EXPECT_EQ(peek.model(), std::nullopt);
  }
  {
    ModelPeek peek(MessageShape::kOpenInference, "", 1 << 20);
    peek.Feed(Frame("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"));
    EXPECT_TRUE(peek.done());
    EXPECT_EQ(peek.model(), std::nullopt);
  }
}

TEST(ModelPeekTest, AnEmptyOrCutOffBodyIsNoName) {
  for (const std::string& body : {std::string(), Frame("").substr(0, 3),
                                  Frame(""), Frame(Message()).substr(0, 6)}) {
    ModelPeek peek(MessageShape::kOpenInference, "", 1 << 20);
    peek.Feed(body);
    peek.End();
    EXPECT_TRUE(peek.done());
    EXPECT_EQ(peek.model(), std::nullopt);
  }
}

TEST(ModelPeekTest, AnUnknownShapeNeedsNoBytes) {
  EXPECT_TRUE(ModelPeek(MessageShape::kUnknown, "", 100).done());
}

}  // namespace
}  // namespace bandit::proxy
