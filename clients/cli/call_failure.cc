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

// What gRPC says where the address is the wrong one, or is spoken to in the
// wrong way; and what to do about it.
struct Symptom {
  std::string_view said;  // In lower case.
  std::string (*describe)(const RouterAddress& router,
                          const std::string& cause);
};

std::string Closed(const RouterAddress& router, const std::string&) {
  if (!router.UsesTls()) {
    return fmt::format(
        "what answers at {} closes the connection at once; does it speak TLS? "
        "--tls-ca FILE, or --tls, speaks it",
        router.address);
  }
  if (router.certificate.empty()) {
    return fmt::format(
        "what answers at {} closes the connection; does it ask for a "
        "certificate? --tls-cert and --tls-key show one",
        router.address);
  }
  return fmt::format(
      "what answers at {} closes the connection; is {} signed by its "
      "control_tls.client_ca?",
      router.address, router.certificate);
}

constexpr Symptom kSymptoms[] = {
    {"http1",
     [](const RouterAddress& router, const std::string&) {
       return fmt::format(
           "what answers at {} speaks HTTP/1, so it is not the router's "
           "control "
           "address; is it the admin port? The router's line `bandit-router "
           "ready` names all three",
           router.address);
     }},
    {"wrong version number",
     [](const RouterAddress& router, const std::string&) {
       return fmt::format(
           "what answers at {} does not speak TLS; is --address its control "
           "address, and has the router a control_tls? Without, leave out the "
           "flags of TLS",
           router.address);
     }},
    {"certificate verify failed",
     [](const RouterAddress& router, const std::string&) {
       return fmt::format(
           "the certificate at {} is not signed by {}; --tls-ca names the file "
           "of the authority that has signed it",
           router.address,
           router.ca.empty() ? "one of the system's authorities"
                             : "an authority in " + router.ca);
     }},
    {"is not in peer certificate",
     [](const RouterAddress& router, const std::string& cause) {
       return fmt::format(
           "the certificate at {} is for another name: {}; --tls-name says for "
           "which",
           router.address, cause);
     }},
    {"domain name not found",
     [](const RouterAddress& router, const std::string&) {
       return fmt::format(
           "--address {} has a name that nobody knows; is it spelt right, and "
           "is the name service reached from here?",
           router.address);
     }},
    {"socket closed", Closed},
    {"connection reset by peer", Closed},
};

// Empty: it is none of them.
std::string DescribeSymptom(const std::string& message,
                            const RouterAddress& router) {
  const std::string lower = absl::AsciiStrToLower(message);
  for (const Symptom& symptom : kSymptoms) {
    if (lower.find(symptom.said) == lower.npos) continue;
    return symptom.describe(router, Cause(message));
  }
  return "";
}

std::string Seconds(absl::Duration duration) {
  return fmt::format("{:g} s", absl::ToDoubleSeconds(duration));
}

}  // namespace

std::string DescribeFailure(const grpc::Status& status, bool connected,
                            const RouterAddress& router) {
  const bool late = status.error_code() == grpc::DEADLINE_EXCEEDED;
  const bool unavailable = status.error_code() == grpc::UNAVAILABLE;
  if (!connected && unavailable) {
    std::string symptom = DescribeSymptom(status.error_message(), router);
    if (!symptom.empty()) return symptom;
  }
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
        router.address,
        status.error_message().empty()
            ? "it does not have the method that was called"
            : status.error_message());
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
