// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/client_cpp/model_server.h"

#include <grpcpp/server_builder.h>

#include <utility>

namespace bandit::testing {

ModelServer::ModelServer(std::string name) : name_(std::move(name)) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  address_ = "127.0.0.1:" + std::to_string(port);
}

ModelServer::~ModelServer() { server_->Shutdown(); }

std::multimap<std::string, std::string> ModelServer::metadata() const {
  absl::MutexLock lock(&mutex_);
  return metadata_;
}

grpc::Status ModelServer::ModelInfer(
    grpc::ServerContext* context, const inference::ModelInferRequest* request,
    inference::ModelInferResponse* response) {
  Note(*context);
  if (request->model_name() == "broken") {
    return grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "broken");
  }
  response->set_id(request->id());
  response->set_model_version(name_);
  return grpc::Status::OK;
}

grpc::Status ModelServer::ModelStreamInfer(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<inference::ModelStreamInferResponse,
                             inference::ModelInferRequest>* stream) {
  Note(*context);
  inference::ModelInferRequest request;
  while (stream->Read(&request)) {
    inference::ModelStreamInferResponse response;
    response.mutable_infer_response()->set_id(request.id());
    response.mutable_infer_response()->set_model_version(name_);
    stream->Write(response);
  }
  return grpc::Status::OK;
}

void ModelServer::Note(const grpc::ServerContext& context) {
  absl::MutexLock lock(&mutex_);
  metadata_.clear();
  for (const auto& [key, value] : context.client_metadata()) {
    metadata_.emplace(std::string(key.data(), key.size()),
                      std::string(value.data(), value.size()));
  }
}

}  // namespace bandit::testing
