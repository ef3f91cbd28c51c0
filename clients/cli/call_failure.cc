// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/call_failure.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/ascii.h"
#include "fmt/format.h"

namespace bandit::cli {
namespace {

// gRPC puts the cause last, behind all that it tried: "failed to connect to
// all addresses; last error: UNKNOWN: ...: Connection refused".
std::string Cause(std::string_view message) {
  const size_t colon = message.rfind(": ");
  std::string cause(
      colon == std::string_view::npos ? message : message.substr(colon + 2));
  // "Connection refused" within a sentence; "HTTP/2 ..." as it is.
  if (cause.size() > 1 && absl::ascii_islower(cause[1])) {
    cause[0] = absl::ascii_tolower(cause[0]);
  }
  return cause;
}

std::string Seconds(absl::Duration duration) {
  return fmt::format("{:g} s", absl::ToDoubleSeconds(duration));
}

}  // namespace

std::string DescribeFailure(const grpc::Status& status, bool connected,
                            const RouterAddress& router) {
  const bool late = status.error_code() == grpc::DEADLINE_EXCEEDED;
  const bool unavailable = status.error_code() == grpc::UNAVAILABLE;
  if (!connected && (late || unavailable)) {
    return fmt::format(
        "no router at {}: {}; is it running, and is --address its control "
        "address?",
        router.address,
        late ? "no connection within " + Seconds(router.timeout)
             : Cause(status.error_message()));
  }
  if (late) {
    return fmt::format(
        "the router at {} did not answer within {}; is it overloaded? "
        "--timeout waits longer",
        router.address, Seconds(router.timeout));
  }
  if (status.error_code() == grpc::UNIMPLEMENTED) {
    return fmt::format(
        "what answers at {} is no router, or one of another version: {}; is "
        "--address its control address?",
        router.address, status.error_message());
  }
  if (status.error_code() == grpc::NOT_FOUND) {
    return fmt::format(
        "{}, says the router at {}; `banditctl status` lists those there are",
        status.error_message(), router.address);
  }
  if (status.error_code() == grpc::UNAUTHENTICATED) {
    return fmt::format(
        "the router at {} asks for a token: {}; give it with --token or "
        "BANDIT_CONTROL_TOKEN",
        router.address, status.error_message());
  }
  if (status.error_code() == grpc::PERMISSION_DENIED ||
      status.error_code() == grpc::FAILED_PRECONDITION) {
    return fmt::format("the router at {} refuses: {}", router.address,
                       status.error_message());
  }
  if (unavailable || status.error_code() == grpc::RESOURCE_EXHAUSTED) {
    return fmt::format("the router at {} took nothing: {}; try again later",
                       router.address, status.error_message());
  }
  return fmt::format("the router at {} failed: {} (gRPC status {})",
                     router.address, status.error_message(),
                     static_cast<int>(status.error_code()));
}

}  // namespace bandit::cli
