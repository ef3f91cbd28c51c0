// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/router_call.h"

#include "clients/cli/call_failure.h"
#include "fmt/format.h"
#include "router/config/address.h"

namespace bandit::cli {

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
  const auto channel = grpc::CreateCustomChannel(
      router.address, grpc::InsecureChannelCredentials(), arguments);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + router.timeout));
  const grpc::Status status = call(channel, &context);
  if (status.ok()) return {};
  // Tells the router's own UNAVAILABLE from a connection that never was.
  const bool connected = channel->GetState(false) == GRPC_CHANNEL_READY;
  return {status.error_code() == grpc::StatusCode::NOT_FOUND
              ? ExitCode::kUnknownExperiment
              : ExitCode::kNoAnswer,
          "", DescribeFailure(status, connected, router) + "\n"};
}

}  // namespace bandit::cli
