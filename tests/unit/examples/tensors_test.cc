// SPDX-License-Identifier: Apache-2.0
#include "examples/digits/tensors.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::digits {
namespace {

using ::inference::ModelInferRequest;
using ::inference::ModelInferResponse;
using ::testing::HasSubstr;

Images Counting(int rows) {
  Images images(rows, kPixels);
  for (int i = 0; i < images.size(); ++i) {
    images.data()[i] = static_cast<float>(i);
  }
  return images;
}

ModelInferRequest Valid(Contents contents) {
  ModelInferRequest request;
  EncodeImage(Counting(1), 0, contents, &request);
  return request;
}

TEST(TensorsTest, AnImageArrivesAsItWasSentRawAndTyped) {
  const Images images = Counting(3);
  for (const Contents contents : {Contents::kRaw, Contents::kTyped}) {
    ModelInferRequest request;
    EncodeImage(images, 2, contents, &request);
    EXPECT_EQ(request.model_name(), "digits");
    EXPECT_EQ(request.raw_input_contents_size(),
              contents == Contents::kRaw ? 1 : 0);
    const absl::StatusOr<Images> decoded = DecodeImages(request);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, images.row(2));
  }
}

TEST(TensorsTest, ABatchKeepsItsOrder) {
  const Images images = Counting(2);
  ModelInferRequest request = Valid(Contents::kTyped);
  auto* input = request.mutable_inputs(0);
  input->set_shape(0, 2);
  input->mutable_contents()->clear_fp32_contents();
  input->mutable_contents()->mutable_fp32_contents()->Add(
      images.data(), images.data() + images.size());
  const absl::StatusOr<Images> decoded = DecodeImages(request);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, images);
}

// Every way of being wrong is named, with what was expected.
TEST(TensorsTest, RefusesMalformedRequests) {
  struct Case {
    std::function<void(ModelInferRequest*)> spoil;
    std::string message;
  };
  const Case cases[] = {
      {[](auto* r) { r->clear_inputs(); }, "0 inputs, expected 1"},
      {[](auto* r) { r->add_inputs(); }, "2 inputs, expected 1"},
      {[](auto* r) { r->mutable_inputs(0)->set_name("pixels"); },
       "input 'pixels' is unknown, expected 'image'"},
      {[](auto* r) { r->mutable_inputs(0)->set_datatype("FP64"); },
       "datatype 'FP64', expected FP32"},
      {[](auto* r) { r->mutable_inputs(0)->set_shape(1, 63); },
       "shape [1, 63], expected [1..1024, 64]"},
      {[](auto* r) { r->mutable_inputs(0)->set_shape(0, 0); }, "shape [0, 64]"},
      {[](auto* r) { r->mutable_inputs(0)->set_shape(0, -1); },
       "shape [-1, 64]"},
      {[](auto* r) { r->mutable_inputs(0)->set_shape(0, 1025); },
       "shape [1025, 64]"},
      {[](auto* r) {
         r->mutable_inputs(0)->set_shape(0,
                                         std::numeric_limits<int64_t>::max());
       },
       "expected [1..1024, 64]"},
      {[](auto* r) { r->mutable_inputs(0)->clear_shape(); }, "shape []"},
      {[](auto* r) { r->mutable_inputs(0)->set_shape(0, 2); },
       "256 raw bytes, expected 512"},
      {[](auto* r) { r->mutable_raw_input_contents(0)->push_back('x'); },
       "257 raw bytes, expected 256"},
      {[](auto* r) { r->add_raw_input_contents(""); },
       "2 raw_input_contents, expected 1"},
      {[](auto* r) { r->mutable_inputs(0)->mutable_contents(); },
       "both raw_input_contents and contents"},
      {[](auto* r) { r->clear_raw_input_contents(); },
       "0 fp32_contents, expected 64"},
      {[](auto* r) {
         const float nan = std::nanf("");
         r->mutable_raw_input_contents(0)->replace(
             4, 4, reinterpret_cast<const char*>(&nan), 4);
       },
       "not finite"},
      {[](auto* r) { r->add_outputs()->set_name("logits"); },
       "output 'logits' is unknown, expected 'class' or 'scores'"},
  };
  for (const Case& c : cases) {
    ModelInferRequest request = Valid(Contents::kRaw);
    c.spoil(&request);
    const absl::StatusOr<Images> decoded = DecodeImages(request);
    EXPECT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument)
        << c.message;
    EXPECT_THAT(std::string(decoded.status().message()), HasSubstr(c.message));
  }
}

Scores CertainOf(int digit) {
  Scores scores = Scores::Zero(1, kClasses);
  scores(0, digit) = 1;
  return scores;
}

TEST(TensorsTest, TheClassComesBackInTheFormOfTheRequest) {
  for (const Contents contents : {Contents::kRaw, Contents::kTyped}) {
    ModelInferResponse response;
    EncodeScores(CertainOf(7), Valid(contents), &response);
    ASSERT_EQ(response.outputs_size(), 2);
    EXPECT_EQ(response.raw_output_contents_size(),
              contents == Contents::kRaw ? 2 : 0);
    const absl::StatusOr<int> digit = DecodeClass(response);
    ASSERT_TRUE(digit.ok()) << digit.status();
    EXPECT_EQ(*digit, 7);
  }
}

TEST(TensorsTest, OnlyTheOutputsAskedForAreSent) {
  ModelInferRequest request = Valid(Contents::kRaw);
  request.add_outputs()->set_name(kScoresOutput);
  ModelInferResponse response;
  EncodeScores(CertainOf(7), request, &response);
  ASSERT_EQ(response.outputs_size(), 1);
  EXPECT_EQ(response.outputs(0).name(), "scores");
  EXPECT_EQ(response.raw_output_contents(0).size(), kClasses * sizeof(float));
  // And so there is no class in it.
  EXPECT_FALSE(DecodeClass(response).ok());
}

TEST(TensorsTest, AResponseToABatchIsNoSingleClass) {
  Scores scores = Scores::Zero(2, kClasses);
  for (const Contents contents : {Contents::kRaw, Contents::kTyped}) {
    ModelInferResponse response;
    EncodeScores(scores, Valid(contents), &response);
    EXPECT_FALSE(DecodeClass(response).ok());
  }
}

}  // namespace
}  // namespace bandit::digits
