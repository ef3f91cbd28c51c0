// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/router_call.h"

#include <algorithm>
#include <utility>

#include "clients/cli/call_failure.h"
#include "fmt/format.h"
#include "router/config/address.h"
#include "router/tls/certificate.h"

namespace bandit::cli {

namespace {

Result Invalid(std::string_view flag, const std::string& value,
               const absl::Status& status) {
  return {
      ExitCode::kInvalid, "",
      fmt::format("{} {} {}\n", flag, value, std::string(status.message()))};
}

// Fills in what the flags of TLS name.
Result ReadFiles(const RouterAddress& router,
                 grpc::SslCredentialsOptions* options) {
  const auto read = [](std::string_view flag, const std::string& path,
                       std::string* into) -> Result {
    if (path.empty()) return {};
    auto bytes = tls::ReadFile(path);
    if (!bytes.ok()) return Invalid(flag, path, bytes.status());
    *into = *std::move(bytes);
    return {};
  };
  Result result = read("--tls-ca", router.ca, &options->pem_root_certs);
  if (result.code == ExitCode::kOk) {
    result = read("--tls-cert", router.certificate, &options->pem_cert_chain);
  }
  if (result.code == ExitCode::kOk) {
    result = read("--tls-key", router.key, &options->pem_private_key);
  }
  if (result.code == ExitCode::kOk &&
      router.certificate.empty() != router.key.empty()) {
    result = {ExitCode::kInvalid, "",
              "--tls-cert and --tls-key belong together\n"};
  }
  return result;
}

bool IsMetadata(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c > ' ' && c < 0x7F; });
}

}  // namespace

Result CallRouter(const RouterAddress& router, const Call& call) {
  // gRPC would take a mere host and connect to port 443.
  const auto parsed = config::ParseBackendAddress(router.address);
  if (!parsed.ok()) {
    return {ExitCode::kInvalid, "",
            fmt::format("--address {} {}\n", router.address,
                        std::string(parsed.status().message()))};
  }
  grpc::ChannelArguments arguments;
  // A proxy of the environment is for the web, not for the pod next door.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  auto credentials = grpc::InsecureChannelCredentials();
  if (router.tls || !router.ca.empty() || !router.certificate.empty() ||
      !router.key.empty() || !router.server_name.empty()) {
    grpc::SslCredentialsOptions options;
    Result read = ReadFiles(router, &options);
    if (read.code != ExitCode::kOk) return read;
    credentials = grpc::SslCredentials(options);
  }
  if (!router.server_name.empty()) {
    arguments.SetSslTargetNameOverride(router.server_name);
  }
  const auto channel =
      grpc::CreateCustomChannel(router.address, credentials, arguments);
  grpc::ClientContext context;
  if (!router.token.empty()) {
    if (!IsMetadata(router.token)) {
      return {ExitCode::kInvalid, "",
              "--token cannot be sent in metadata, expected visible ASCII "
              "without spaces\n"};
    }
    context.AddMetadata("authorization", "Bearer " + router.token);
  }
  context.set_deadline(absl::ToChronoTime(absl::Now() + router.timeout));
  const grpc::Status status = call(channel, &context);
  if (status.ok()) return {};
  // Tells the router's own UNAVAILABLE from a connection that never was.
  const bool connected = channel->GetState(false) == GRPC_CHANNEL_READY;
  ExitCode code = ExitCode::kNoAnswer;
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) {
    code = ExitCode::kUnknownExperiment;
  } else if (status.error_code() == grpc::StatusCode::FAILED_PRECONDITION ||
             status.error_code() == grpc::StatusCode::PERMISSION_DENIED) {
    code = ExitCode::kRefused;
  }
  return {code, "", DescribeFailure(status, connected, router) + "\n"};
}

}  // namespace bandit::cli
