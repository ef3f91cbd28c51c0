// SPDX-License-Identifier: Apache-2.0
#include "router/control/control_server.h"

#include "fmt/format.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/server_builder.h"
#include "router/control/server_credentials.h"

namespace bandit::control {
namespace {

// Reflection is gRPC's only synchronous service here; one thread is enough for
// it, and an idle sidecar should not pay for more.
constexpr int kMostSyncThreads = 3;
constexpr size_t kMemoryQuota = 64u << 20;

absl::Status CannotListen(const std::string& address) {
  return absl::UnavailableError(fmt::format(
      "control = {} cannot be listened on: another program has the port, or "
      "the address is not this machine's",
      address));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ControlServer>> ControlServer::Start(
    const Options& options) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  std::unique_ptr<ControlServer> control(new ControlServer(options));
  grpc::ServerBuilder builder;
  const bool tls = options.tls != nullptr && options.tls->control() != nullptr;
  if (tls && options.tls_1_3) RequireTls13();
  auto& credentials = control->credentials_;
  credentials.push_back(
      tls ? TlsCredentials(&control->access_, options.tls)
          : CleartextCredentials(&control->access_, Access::Door::kControl));
  builder.AddListeningPort(options.address, credentials.back(),
                           &control->port_);
  int internal = 1;
  if (!options.internal_address.empty()) {
    credentials.push_back(
        CleartextCredentials(&control->access_, Access::Door::kListen));
    builder.AddListeningPort(options.internal_address, credentials.back(),
                             &internal);
  }
  // A second router on the port must fail, not share it.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
  grpc::ResourceQuota quota("control");
  quota.SetMaxThreads(kMostSyncThreads);
  quota.Resize(kMemoryQuota);
  builder.SetResourceQuota(quota);
  builder.RegisterService(&control->feedback_);
  builder.RegisterService(&control->admin_);
  control->server_ = builder.BuildAndStart();
  if (control->server_ == nullptr || control->port_ == 0) {
    return CannotListen(options.address);
  }
  if (internal == 0) return CannotListen(options.internal_address);
  control->SetFeedbackServing(true);
  control->SetReady(false);
  control->server_->GetHealthCheckService()->SetServingStatus(
      v1::Admin::service_full_name(), true);
  return control;
}

ControlServer::~ControlServer() { Shutdown(absl::ZeroDuration()); }

std::unique_ptr<v1::Admin::StubInterface> ControlServer::InProcessAdmin() {
  return v1::Admin::NewStub(server_->InProcessChannel({}));
}

void ControlServer::SetFeedbackServing(bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(
      v1::Feedback::service_full_name(), serving);
}

void ControlServer::SetReady(bool ready) {
  server_->GetHealthCheckService()->SetServingStatus("", ready);
}

Access::Options ControlServer::AccessOf(const Options& options) {
  Access::Options access = options.access;
  const auto files = options.tls == nullptr ? nullptr : options.tls->control();
  access.mutual_tls = files != nullptr && files->client_ca.has_value();
  return access;
}

void ControlServer::Shutdown(absl::Duration grace) {
  if (server_ == nullptr) return;
  server_->GetHealthCheckService()->Shutdown();
  server_->Shutdown(absl::ToChronoTime(absl::Now() + grace));
  server_->Wait();
}

}  // namespace bandit::control
