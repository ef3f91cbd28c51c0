// SPDX-License-Identifier: Apache-2.0
// One model variant behind the Open Inference Protocol.
#ifndef BANDIT_EXAMPLES_DIGITS_MODEL_SERVICE_H_
#define BANDIT_EXAMPLES_DIGITS_MODEL_SERVICE_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "examples/digits/classifier.h"
#include "examples/digits/variants.h"
#include "inference/grpc_predict_v2.grpc.pb.h"

namespace bandit::digits {

// Serves model "digits" in one version, the variant's name.
//
// The answer is really computed, which takes microseconds at this size. The
// time that a bigger model would take is simulated: the call is finished by a
// timer after `accelerator` plus a random tail (exponential, a fifth of it on
// average), as if a device worked on it; no thread waits.
//
// Thread-safety: gRPC may call from any thread.
// Ownership: borrows the variant.
class ModelService final
    : public inference::GRPCInferenceService::CallbackService {
 public:
  ModelService(const Variant& variant, std::unique_ptr<Classifier> classifier,
               absl::Duration accelerator);

  // From now on the simulated accelerator takes this long. Any thread.
  void SetAccelerator(absl::Duration accelerator) {
    accelerator_ns_ = absl::ToInt64Nanoseconds(accelerator);
  }

  grpc::ServerUnaryReactor* ServerLive(
      grpc::CallbackServerContext* context,
      const inference::ServerLiveRequest* request,
      inference::ServerLiveResponse* response) override;
  grpc::ServerUnaryReactor* ServerReady(
      grpc::CallbackServerContext* context,
      const inference::ServerReadyRequest* request,
      inference::ServerReadyResponse* response) override;
  // An unknown model or version: NOT_FOUND, here and below.
  grpc::ServerUnaryReactor* ModelReady(
      grpc::CallbackServerContext* context,
      const inference::ModelReadyRequest* request,
      inference::ModelReadyResponse* response) override;
  grpc::ServerUnaryReactor* ModelMetadata(
      grpc::CallbackServerContext* context,
      const inference::ModelMetadataRequest* request,
      inference::ModelMetadataResponse* response) override;
  grpc::ServerUnaryReactor* ModelInfer(
      grpc::CallbackServerContext* context,
      const inference::ModelInferRequest* request,
      inference::ModelInferResponse* response) override;

 private:
  absl::Status FindModel(const std::string& name,
                         const std::string& version) const;
  absl::Status Infer(const inference::ModelInferRequest& request,
                     inference::ModelInferResponse* response) const;
  // What the simulated accelerator takes for the next request.
  absl::Duration NextDelay();

  const Variant& variant_;
  const std::unique_ptr<const Classifier> classifier_;
  std::atomic<int64_t> accelerator_ns_;
  // Numbers requests for NextDelay; only its uniqueness matters, so relaxed.
  std::atomic<uint64_t> requests_{0};
};

}  // namespace bandit::digits

#endif  // BANDIT_EXAMPLES_DIGITS_MODEL_SERVICE_H_
