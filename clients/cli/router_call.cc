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

// Fills in what the flags of TLS name. All is judged here: gRPC would only say
// that it cannot connect.
Result ReadFiles(const RouterAddress& router,
                 grpc::SslCredentialsOptions* options) {
  if (router.certificate.empty() != router.key.empty()) {
    return {ExitCode::kInvalid, "",
            "--tls-cert and --tls-key belong together\n"};
  }
  if (!router.ca.empty()) {
    const auto authorities = tls::LoadCertificates(router.ca);
    if (!authorities.ok()) {
      return Invalid("--tls-ca", router.ca, authorities.status());
    }
    options->pem_root_certs = authorities->pem;
  }
  if (router.certificate.empty()) return {};
  const auto certificates = tls::LoadCertificates(router.certificate);
  if (!certificates.ok()) {
    return Invalid("--tls-cert", router.certificate, certificates.status());
  }
  const auto key = tls::LoadKey(router.key);
  if (!key.ok()) return Invalid("--tls-key", router.key, key.status());
  if (!tls::Matches(*certificates, *key)) {
    return {ExitCode::kInvalid, "",
            fmt::format("--tls-key {} is not the key of --tls-cert {}\n",
                        router.key, router.certificate)};
  }
  options->pem_cert_chain = certificates->pem;
  options->pem_private_key = key->pem;
  return {};
}

bool IsMetadata(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c > ' ' && c < 0x7F; });
}

ExitCode CodeOf(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::NOT_FOUND:
      return ExitCode::kUnknownExperiment;
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
      return ExitCode::kRefused;
    case grpc::StatusCode::INVALID_ARGUMENT:
      return ExitCode::kInvalid;
    default:
      return ExitCode::kNoAnswer;
  }
}

}  // namespace

Result NoRouter(const RouterAddress& router) {
  return {ExitCode::kNoAnswer, "",
          fmt::format("what answers at {} is no router; is --address its "
                      "control address?\n",
                      router.address)};
}

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
  if (router.UsesTls()) {
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
  return {CodeOf(status), "",
          DescribeFailure(status, connected, router) + "\n"};
}

}  // namespace bandit::cli
