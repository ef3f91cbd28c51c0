// SPDX-License-Identifier: Apache-2.0
// The model server's RPCs, over a real channel.
#include "examples/digits/model_service.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "examples/digits/tensors.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"

namespace bandit::digits {
namespace {

using ::inference::GRPCInferenceService;
using ::testing::HasSubstr;

constexpr auto kNotFound = grpc::StatusCode::NOT_FOUND;

class ModelServiceTest : public ::testing::Test {
 protected:
  // A server of `variant`, its accelerator `delay`, and a client of it.
  void Start(const char* variant, absl::Duration delay) {
    server_.reset();
    service_ = std::make_unique<ModelService>(
        *FindVariant(variant),
        TrainVariant(*FindVariant(variant), split_.train), delay);
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    stub_ = GRPCInferenceService::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                            grpc::InsecureChannelCredentials()));
  }

  grpc::Status Infer(const inference::ModelInferRequest& request,
                     inference::ModelInferResponse* response) {
    grpc::ClientContext context;
    return stub_->ModelInfer(&context, request, response);
  }

  inference::ModelInferRequest Image(int row, Contents contents) {
    inference::ModelInferRequest request;
    EncodeImage(split_.held_out.images, row, contents, &request);
    return request;
  }

  const Split split_ = SplitDigits(*LoadDigits(DIGITS_DATA));
  std::unique_ptr<ModelService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<GRPCInferenceService::Stub> stub_;
};

TEST_F(ModelServiceTest, IsLiveAndReady) {
  Start("centroid", absl::ZeroDuration());
  {
    grpc::ClientContext context;
    inference::ServerLiveResponse response;
    ASSERT_TRUE(stub_->ServerLive(&context, {}, &response).ok());
    EXPECT_TRUE(response.live());
  }
  {
    grpc::ClientContext context;
    inference::ServerReadyResponse response;
    ASSERT_TRUE(stub_->ServerReady(&context, {}, &response).ok());
    EXPECT_TRUE(response.ready());
  }
  grpc::ClientContext context;
  inference::ModelReadyRequest request;
  request.set_name("digits");
  request.set_version("centroid");
  inference::ModelReadyResponse response;
  ASSERT_TRUE(stub_->ModelReady(&context, request, &response).ok());
  EXPECT_TRUE(response.ready());
}

TEST_F(ModelServiceTest, DescribesItsTensors) {
  Start("centroid", absl::ZeroDuration());
  grpc::ClientContext context;
  inference::ModelMetadataRequest request;
  request.set_name("digits");
  inference::ModelMetadataResponse response;
  ASSERT_TRUE(stub_->ModelMetadata(&context, request, &response).ok());
  EXPECT_EQ(response.name(), "digits");
  EXPECT_EQ(response.versions(0), "centroid");
  ASSERT_EQ(response.inputs_size(), 1);
  EXPECT_EQ(response.inputs(0).name(), "image");
  EXPECT_EQ(response.inputs(0).shape(1), 64);
  ASSERT_EQ(response.outputs_size(), 2);
  EXPECT_EQ(response.outputs(0).datatype(), "INT64");
}

TEST_F(ModelServiceTest, UnknownModelsAndVersionsAreNotFound) {
  Start("centroid", absl::ZeroDuration());
  for (const bool version : {false, true}) {
    inference::ModelInferRequest infer = Image(0, Contents::kRaw);
    inference::ModelReadyRequest ready;
    inference::ModelMetadataRequest metadata;
    if (version) {
      infer.set_model_version("9");
      ready.set_name("digits");
      ready.set_version("9");
      metadata.set_name("digits");
      metadata.set_version("9");
    } else {
      infer.set_model_name("letters");
      ready.set_name("letters");
      metadata.set_name("letters");
    }
    inference::ModelInferResponse infer_response;
    const grpc::Status status = Infer(infer, &infer_response);
    EXPECT_EQ(status.error_code(), kNotFound);
    EXPECT_THAT(status.error_message(),
                HasSubstr(version ? "no version '9'" : "model 'letters'"));
    grpc::ClientContext ready_context;
    inference::ModelReadyResponse ready_response;
    EXPECT_EQ(
        stub_->ModelReady(&ready_context, ready, &ready_response).error_code(),
        kNotFound);
    grpc::ClientContext metadata_context;
    inference::ModelMetadataResponse metadata_response;
    EXPECT_EQ(
        stub_->ModelMetadata(&metadata_context, metadata, &metadata_response)
            .error_code(),
        kNotFound);
  }
}

TEST_F(ModelServiceTest, AWrongShapeIsAnInvalidArgument) {
  Start("centroid", absl::ZeroDuration());
  inference::ModelInferRequest request = Image(0, Contents::kRaw);
  request.mutable_inputs(0)->set_shape(1, 32);
  inference::ModelInferResponse response;
  const grpc::Status status = Infer(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("shape [1, 32]"));
}

// What comes over the wire is what the model says in memory, in both forms.
TEST_F(ModelServiceTest, AnswersWithTheModelsClass) {
  for (const Variant& variant : AllVariants()) {
    Start(variant.name.data(), absl::ZeroDuration());
    const auto classifier = TrainVariant(variant, split_.train);
    const std::vector<int> expected =
        Classify(classifier->Score(split_.held_out.images.topRows(20)));
    for (int i = 0; i < 20; ++i) {
      inference::ModelInferRequest request =
          Image(i, i % 2 == 0 ? Contents::kRaw : Contents::kTyped);
      request.set_id("request-" + std::to_string(i));
      inference::ModelInferResponse response;
      const grpc::Status status = Infer(request, &response);
      ASSERT_TRUE(status.ok()) << status.error_message();
      EXPECT_EQ(response.id(), request.id());
      EXPECT_EQ(response.model_version(), variant.name);
      const absl::StatusOr<int> digit = DecodeClass(response);
      ASSERT_TRUE(digit.ok()) << digit.status();
      EXPECT_EQ(*digit, expected[i]) << variant.name << " " << i;
    }
  }
}

TEST_F(ModelServiceTest, ABatchGetsAClassForEachImage) {
  Start("neighbours", absl::ZeroDuration());
  const Images images = split_.held_out.images.topRows(5);
  inference::ModelInferRequest request = Image(0, Contents::kTyped);
  auto* input = request.mutable_inputs(0);
  input->set_shape(0, 5);
  input->mutable_contents()->clear_fp32_contents();
  input->mutable_contents()->mutable_fp32_contents()->Add(
      images.data(), images.data() + images.size());
  inference::ModelInferResponse response;
  ASSERT_TRUE(Infer(request, &response).ok());
  EXPECT_EQ(response.outputs(0).shape(0), 5);
  EXPECT_EQ(response.outputs(0).contents().int64_contents_size(), 5);
  EXPECT_EQ(response.outputs(1).contents().fp32_contents_size(), 50);
}

// The latency that the demo shows is really spent.
TEST_F(ModelServiceTest, TheAcceleratorTakesItsTime) {
  const absl::Duration delay = absl::Milliseconds(30);
  Start("centroid", delay);
  inference::ModelInferResponse response;
  const absl::Time start = absl::Now();
  ASSERT_TRUE(Infer(Image(0, Contents::kRaw), &response).ok());
  EXPECT_GE(absl::Now() - start, delay);
}

// No thread waits for the accelerator: hundreds of requests at once take about
// as long as one. (One thread each, or one after the other, would need 60 s.)
TEST_F(ModelServiceTest, WaitingRequestsHoldNoThread) {
  constexpr int kCalls = 300;
  Start("centroid", absl::Milliseconds(200));
  struct Call {
    grpc::ClientContext context;
    inference::ModelInferResponse response;
    grpc::Status status;
    std::unique_ptr<
        grpc::ClientAsyncResponseReader<inference::ModelInferResponse>>
        reader;
  };
  grpc::CompletionQueue queue;
  std::vector<Call> calls(kCalls);
  const absl::Time start = absl::Now();
  for (Call& call : calls) {
    call.reader =
        stub_->AsyncModelInfer(&call.context, Image(0, Contents::kRaw), &queue);
    call.reader->Finish(&call.response, &call.status, &call);
  }
  for (int i = 0; i < kCalls; ++i) {
    void* tag = nullptr;
    bool ok = false;
    ASSERT_TRUE(queue.Next(&tag, &ok));
    EXPECT_TRUE(static_cast<Call*>(tag)->status.ok());
  }
  EXPECT_LT(absl::Now() - start, absl::Seconds(20));
}

}  // namespace
}  // namespace bandit::digits
