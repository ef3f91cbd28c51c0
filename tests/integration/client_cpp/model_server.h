// SPDX-License-Identifier: Apache-2.0
// A model server that answers at once and remembers who asked.
#ifndef BANDIT_TESTS_INTEGRATION_CLIENT_CPP_MODEL_SERVER_H_
#define BANDIT_TESTS_INTEGRATION_CLIENT_CPP_MODEL_SERVER_H_

#include <grpcpp/server.h>

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "inference/grpc_predict_v2.grpc.pb.h"

namespace bandit::testing {

// Thread-safety: all calls may overlap.
class ModelServer final : public inference::GRPCInferenceService::Service {
 public:
  // Its answers carry `name` as the model's version.
  explicit ModelServer(std::string name);
  ~ModelServer() override;

  const std::string& address() const { return address_; }
  // Of the last request.
  std::multimap<std::string, std::string> metadata() const;

  // Model `broken` fails with FAILED_PRECONDITION, and without a message.
  grpc::Status ModelInfer(grpc::ServerContext* context,
                          const inference::ModelInferRequest* request,
                          inference::ModelInferResponse* response) override;
  grpc::Status ModelStreamInfer(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<inference::ModelStreamInferResponse,
                               inference::ModelInferRequest>* stream) override;

 private:
  void Note(const grpc::ServerContext& context);

  const std::string name_;
  mutable absl::Mutex mutex_;
  std::multimap<std::string, std::string> metadata_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace bandit::testing

#endif  // BANDIT_TESTS_INTEGRATION_CLIENT_CPP_MODEL_SERVER_H_
