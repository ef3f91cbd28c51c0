// SPDX-License-Identifier: Apache-2.0
#include "examples/digits/model_service.h"

#include <cmath>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "examples/digits/tensors.h"
#include "fmt/format.h"
#include "grpcpp/alarm.h"

namespace bandit::digits {
namespace {

grpc::Status ToGrpc(const absl::Status& status) {
  // The numbers of absl's codes are gRPC's.
  return {static_cast<grpc::StatusCode>(status.code()),
          std::string(status.message())};
}

grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context,
                                 const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

// Finishes the call when the simulated accelerator is done, or at once when
// the client has gone.
class DelayedAnswer final : public grpc::ServerUnaryReactor {
 public:
  DelayedAnswer(const absl::Status& status, absl::Duration delay) {
    alarm_.Set(absl::ToChronoTime(absl::Now() + delay),
               [this, status = ToGrpc(status)](bool) { Finish(status); });
  }
  void OnCancel() override { alarm_.Cancel(); }
  void OnDone() override { delete this; }

 private:
  grpc::Alarm alarm_;
};

// The finalizer of splitmix64 (Steele, Lea, Flood, 2014): a counter's values
// become independent-looking bits.
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

template <typename Tensor>
void Describe(const char* name, const char* datatype,
              std::initializer_list<int64_t> shape, Tensor* tensor) {
  tensor->set_name(name);
  tensor->set_datatype(datatype);
  for (const int64_t length : shape) tensor->add_shape(length);
}

}  // namespace

ModelService::ModelService(const Variant& variant,
                           std::unique_ptr<Classifier> classifier,
                           absl::Duration accelerator)
    : variant_(variant),
      classifier_(std::move(classifier)),
      accelerator_ns_(absl::ToInt64Nanoseconds(accelerator)) {}

absl::Status ModelService::FindModel(const std::string& name,
                                     const std::string& version) const {
  if (name != kModelName) {
    return absl::NotFoundError(fmt::format(
        "model '{}' is unknown, this server has '{}'", name, kModelName));
  }
  if (!version.empty() && version != variant_.name) {
    return absl::NotFoundError(
        fmt::format("model '{}' has no version '{}', this server has '{}'",
                    name, version, variant_.name));
  }
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* ModelService::ServerLive(
    grpc::CallbackServerContext* context, const inference::ServerLiveRequest*,
    inference::ServerLiveResponse* response) {
  response->set_live(true);
  return Answer(context, absl::OkStatus());
}

// The models are trained before the server listens.
grpc::ServerUnaryReactor* ModelService::ServerReady(
    grpc::CallbackServerContext* context, const inference::ServerReadyRequest*,
    inference::ServerReadyResponse* response) {
  response->set_ready(true);
  return Answer(context, absl::OkStatus());
}

grpc::ServerUnaryReactor* ModelService::ModelReady(
    grpc::CallbackServerContext* context,
    const inference::ModelReadyRequest* request,
    inference::ModelReadyResponse* response) {
  const absl::Status status = FindModel(request->name(), request->version());
  response->set_ready(status.ok());
  return Answer(context, status);
}

grpc::ServerUnaryReactor* ModelService::ModelMetadata(
    grpc::CallbackServerContext* context,
    const inference::ModelMetadataRequest* request,
    inference::ModelMetadataResponse* response) {
  const absl::Status status = FindModel(request->name(), request->version());
  if (status.ok()) {
    response->set_name(kModelName);
    response->add_versions(std::string(variant_.name));
    response->set_platform("eigen");
    Describe(kInput, "FP32", {-1, kPixels}, response->add_inputs());
    Describe(kClassOutput, "INT64", {-1}, response->add_outputs());
    Describe(kScoresOutput, "FP32", {-1, kClasses}, response->add_outputs());
  }
  return Answer(context, status);
}

grpc::ServerUnaryReactor* ModelService::ModelInfer(
    grpc::CallbackServerContext* context,
    const inference::ModelInferRequest* request,
    inference::ModelInferResponse* response) {
  const absl::Status status = Infer(*request, response);
  if (!status.ok() || accelerator_ns_ <= 0) {
    return Answer(context, status);
  }
  // Deletes itself in OnDone.
  return new DelayedAnswer(status, NextDelay());
}

absl::Status ModelService::Infer(
    const inference::ModelInferRequest& request,
    inference::ModelInferResponse* response) const {
  if (absl::Status status =
          FindModel(request.model_name(), request.model_version());
      !status.ok()) {
    return status;
  }
  const absl::StatusOr<Images> images = DecodeImages(request);
  if (!images.ok()) return images.status();
  response->set_model_name(kModelName);
  response->set_model_version(std::string(variant_.name));
  response->set_id(request.id());
  EncodeScores(classifier_->Score(*images), request, response);
  return absl::OkStatus();
}

absl::Duration ModelService::NextDelay() {
  constexpr double kTail = 0.2;
  const uint64_t bits = Mix(requests_.fetch_add(1, std::memory_order_relaxed));
  const double uniform = static_cast<double>(bits >> 11) * 0x1p-53;
  return absl::Nanoseconds(accelerator_ns_.load()) *
         (1 - kTail * std::log1p(-uniform));
}

}  // namespace bandit::digits
