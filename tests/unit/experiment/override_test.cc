// SPDX-License-Identifier: Apache-2.0
// OverrideSuffix against the parsers of those who read the result.
#include <limits>
#include <string>

#include "gtest/gtest.h"
#include "inference/grpc_predict_v2.pb.h"
#include "router/experiment/model_name.h"
#include "tensorflow_serving/predict.pb.h"

namespace bandit::experiment {
namespace {

std::string Suffix(MessageShape shape, const std::string& name,
                   const std::string& version) {
  const auto suffix = OverrideSuffix(shape, {.name = name, .version = version});
  EXPECT_TRUE(suffix.ok()) << suffix.status();
  return *suffix;
}

inference::ModelInferRequest InferRequest() {
  inference::ModelInferRequest request;
  request.set_model_name("ranker");
  request.set_model_version("7");
  request.set_id("id");
  request.add_inputs()->set_name("x");
  request.add_raw_input_contents(std::string(1000, 'r'));
  return request;
}

tensorflow::serving::PredictRequest PredictRequest() {
  tensorflow::serving::PredictRequest request;
  request.mutable_model_spec()->set_name("ranker");
  request.mutable_model_spec()->set_signature_name("serving_default");
  request.mutable_model_spec()->mutable_version()->set_value(7);
  (*request.mutable_inputs())["x"].set_tensor_content("abcd");
  request.add_output_filter("y");
  return request;
}

template <typename Message>
Message Overridden(const Message& message, const std::string& suffix) {
  Message result;
  EXPECT_TRUE(result.ParseFromString(message.SerializeAsString() + suffix));
  return result;
}

TEST(OverrideTest, OpenInferenceNameAndVersionAreReplaced) {
  const auto result = Overridden(
      InferRequest(), Suffix(MessageShape::kOpenInference, "other", "v2-rc.1"));
  auto expected = InferRequest();
  expected.set_model_name("other");
  expected.set_model_version("v2-rc.1");
  EXPECT_EQ(result.SerializeAsString(), expected.SerializeAsString());
}

TEST(OverrideTest, WhatIsEmptyStaysAsTheCallerHasIt) {
  auto result =
      Overridden(InferRequest(), Suffix(MessageShape::kOpenInference, "", "2"));
  EXPECT_EQ(result.model_name(), "ranker");
  EXPECT_EQ(result.model_version(), "2");
  result = Overridden(InferRequest(),
                      Suffix(MessageShape::kOpenInference, "other", ""));
  EXPECT_EQ(result.model_name(), "other");
  EXPECT_EQ(result.model_version(), "7");
  EXPECT_EQ(Suffix(MessageShape::kOpenInference, "", ""), "");
  EXPECT_EQ(Suffix(MessageShape::kTensorFlowServing, "", ""), "");
}

TEST(OverrideTest, TensorFlowServingsSpecIsMerged) {
  const auto result = Overridden(
      PredictRequest(), Suffix(MessageShape::kTensorFlowServing, "other", "9"));
  EXPECT_EQ(result.model_spec().name(), "other");
  EXPECT_EQ(result.model_spec().version().value(), 9);
  EXPECT_EQ(result.model_spec().signature_name(), "serving_default");
  EXPECT_EQ(result.inputs().at("x").tensor_content(), "abcd");
  EXPECT_EQ(result.output_filter(0), "y");
}

// Both are members of one oneof: a label left over would decide.
TEST(OverrideTest, AVersionTakesThePlaceOfALabel) {
  auto request = PredictRequest();
  request.mutable_model_spec()->set_version_label("canary");
  const auto result =
      Overridden(request, Suffix(MessageShape::kTensorFlowServing, "", "9"));
  EXPECT_EQ(result.model_spec().version_choice_case(),
            tensorflow::serving::ModelSpec::kVersion);
  EXPECT_EQ(result.model_spec().version().value(), 9);
}

TEST(OverrideTest, ARequestWithoutAModelGetsOne) {
  const auto infer =
      Overridden(inference::ModelInferRequest(),
                 Suffix(MessageShape::kOpenInference, "other", "2"));
  EXPECT_EQ(infer.model_name(), "other");
  const auto predict =
      Overridden(tensorflow::serving::PredictRequest(),
                 Suffix(MessageShape::kTensorFlowServing, "other", "2"));
  EXPECT_EQ(predict.model_spec().name(), "other");
  EXPECT_EQ(predict.model_spec().version().value(), 2);
}

// Zero must be written, or the caller's 7 would stay.
TEST(OverrideTest, AllTensorFlowServingVersions) {
  for (const int64_t version :
       {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{127}, int64_t{128},
        std::numeric_limits<int64_t>::max(),
        std::numeric_limits<int64_t>::min()}) {
    const auto result = Overridden(
        PredictRequest(),
        Suffix(MessageShape::kTensorFlowServing, "", std::to_string(version)));
    EXPECT_EQ(result.model_spec().version().value(), version);
  }
}

TEST(OverrideTest, TensorFlowServingVersionsAreNumbers) {
  for (const char* version :
       {"v2", "2 ", " 2", "2.0", "9223372036854775808", "+2", "-"}) {
    const auto suffix = OverrideSuffix(MessageShape::kTensorFlowServing,
                                       {.name = "", .version = version});
    EXPECT_EQ(suffix.status().code(), absl::StatusCode::kInvalidArgument)
        << version;
    EXPECT_NE(std::string(suffix.status().message()).find(version),
              std::string::npos);
  }
}

TEST(OverrideTest, LongNames) {
  for (size_t size : {127, 128, 16383, 16384, 100'000}) {
    const std::string name(size, 'n');
    EXPECT_EQ(Overridden(InferRequest(),
                         Suffix(MessageShape::kOpenInference, name, name))
                  .model_version(),
              name);
    EXPECT_EQ(Overridden(PredictRequest(),
                         Suffix(MessageShape::kTensorFlowServing, name, "1"))
                  .model_spec()
                  .name(),
              name);
  }
}

TEST(OverrideTest, OtherMessagesAreLeftAlone) {
  EXPECT_EQ(Suffix(MessageShape::kUnknown, "other", "no number"), "");
}

}  // namespace
}  // namespace bandit::experiment
